import gc
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bootstrap.cli import cli
from bootstrap.configuration_error import ConfigurationError

SOURCE = Path(__file__).parents[2] / "src"
GOOD = """
model_list:
  - {model_name: gpt-4, id: one, priority: 5, weight: 2.5, rpm: 60, provider: {type: echo, model: up}}
  - {model_name: gpt-4, id: two, provider: {type: openai}}
model_aliases: {latest: gpt-4}
routes: [{slug: smart, strategy: random, models: [{model_name: gpt-4, weight: 70}]}]
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MOONGATE_") or name in {"REDIS_URL", "DATABASE_URL"}:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _collected_as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What `serve` was called with, in a server that only notes it."""
    calls: list[Any] = []

    def serve(
        settings: Any, *, data_dir: Path, environ: Mapping[str, str], reread: Any, warnings: Any, **_: Any
    ) -> None:
        calls.append((settings, data_dir, environ, reread, warnings))

    server = types.ModuleType("bootstrap.server")
    server.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bootstrap.server", server)
    return iter([calls])


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), env=environ)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    return str(path)


def test_check_config_says_what_a_valid_file_comes_to(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    result = run("check-config", path)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{path}: valid. 1 model, 2 instances (1 enabled), 1 route.\n"
        "Mode: lite (neither redis.url nor the URL of a Postgres database is set).\n"
    )
    assert result.stderr == (
        "warning: instance 'two' of 'gpt-4' is disabled: its provider of type 'openai' needs 'api_key'\n"
    )


def test_check_config_prints_a_line_for_each_error(tmp_path: Path) -> None:
    result = run("check-config", written(tmp_path, "server: {port: x, prot: 1}"))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "server.port: expected a whole number, found 'x'",
        "server.prot: unknown key; did you mean 'port'?",
    ]


def test_check_config_tells_the_mode_and_why(tmp_path: Path) -> None:
    result = run("check-config", written(tmp_path, "redis: {url: redis://r}\ndatabase: {url: postgresql://d}"))
    assert result.exit_code == 0
    assert "Mode: full (redis.url and database.url are set)." in result.stdout


def test_check_config_refuses_a_url_that_no_store_could_be_reached_by(tmp_path: Path) -> None:
    result = run("check-config", written(tmp_path, "redis: {url: redis://r/x}\nstate: redis"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "redis.url: expected the number of a database in the redis URL, found 'x'\n"


def test_check_config_of_an_empty_file_is_valid(tmp_path: Path) -> None:
    result = run("check-config", written(tmp_path, ""))
    assert (result.exit_code, result.stderr) == (0, "")


def test_routes_prints_aligned_tables(tmp_path: Path) -> None:
    result = run("routes", "--config", written(tmp_path, GOOD))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "MODEL  INSTANCE  PROVIDER  UPSTREAM MODEL  PRIORITY  WEIGHT  RPM  TPM  PARALLEL  STATE",
        "gpt-4  one       echo      up              5         2.5     60   -    -         enabled",
        "gpt-4  two       openai    gpt-4           0         1       -    -    -         disabled",
        "",
        "ROUTE  STRATEGY  MODELS (WEIGHT, PRIORITY)  FALLBACKS  STATE",
        "smart  random    gpt-4 (70, 0)              -          enabled",
        "",
        "ALIAS   MODEL",
        "latest  gpt-4",
    ]


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    result = run("routes", environ={"MOONGATE_CONFIG": written(tmp_path, GOOD)})
    assert "smart" in result.stdout


def test_version_prints_one_line() -> None:
    result = run("version")
    assert result.exit_code == 0
    assert result.stdout.startswith("moongate ")


@pytest.mark.parametrize(
    "arguments",
    [("check-config",), ("bogus",), ("serve", "--port", "x"), ("serve", "--wrong"), ("routes", "surplus")],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_serve_passes_on_what_it_was_given(served: Iterator[list[Any]], tmp_path: Path) -> None:
    path = written(tmp_path, "server: {host: 127.0.0.2, port: 1}")
    result = run("serve", "--config", path, "--port", "9000", "--data-dir", str(tmp_path / "data"))
    ((settings, data_dir, environ, _, _),) = next(served)
    assert result.exit_code == 0
    assert (settings.server.host, settings.server.port) == ("127.0.0.2", 9_000)
    assert (data_dir, environ is os.environ) == (tmp_path / "data", True)


def test_serve_reads_the_file_again_under_the_same_command_line_and_checks_its_mode(
    served: Iterator[list[Any]], tmp_path: Path
) -> None:
    path = written(tmp_path, "model_list: [{model_name: a, provider: {type: openai, api_key: '${NOBODY}'}}]")
    run("serve", "--config", path, "--port", "9000")
    ((_, _, _, reread, warnings),) = next(served)
    assert "the environment variable NOBODY is not set" in warnings[0]

    Path(path).write_text("server: {port: 1}\nrate_limit: {global_rpm: 5}", encoding="utf-8")
    again = reread().settings
    assert (again.server.port, again.rate_limit.global_rpm) == (9_000, 5)
    Path(path).write_text("mode: full", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="mode: full needs redis"):
        reread()


def test_serve_prefers_the_command_line_to_the_environment_and_that_to_the_file(
    served: Iterator[list[Any]], tmp_path: Path
) -> None:
    path = written(tmp_path, "server: {host: 127.0.0.2, port: 1}")
    environ = {"MOONGATE_CONFIG": path, "MOONGATE_HOST": "::1", "MOONGATE_PORT": "2", "MOONGATE_DATA_DIR": "d"}
    result = run("serve", "--port", "3", environ=environ)
    ((settings, data_dir, _, _, _),) = next(served)
    assert result.exit_code == 0
    assert (settings.server.host, settings.server.port) == ("::1", 3)
    assert data_dir == Path("d")


FULL = {"REDIS_URL": "redis://r", "DATABASE_URL": "postgresql://d"}


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        (("--port", "70000"), {}, "server.port: expected at most 65535, found 70000"),
        (("--workers", "2"), {}, "server.workers: 2 workers need Redis"),
        ((), FULL, "auth.master_key: full mode"),
        (("--config", "/nowhere.yaml"), {}, "/nowhere.yaml: No such file or directory"),
    ],
)
def test_serve_refuses_with_one_line(
    served: Iterator[list[Any]], arguments: tuple[str, ...], environ: dict[str, str], line: str
) -> None:
    result = run("serve", *arguments, environ=environ)
    assert result.exit_code == 2
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1
    assert next(served) == []


def test_serve_in_full_mode_needs_no_more_than_stores_and_a_key(served: Iterator[list[Any]]) -> None:
    result = run("serve", environ=FULL | {"MOONGATE_MASTER_KEY": "k"})
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(next(served)) == 1


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (OSError(98, "Address already in use"), 1, "[Errno 98] Address already in use"),
        (KeyboardInterrupt(), 130, None),
        (
            RuntimeError("first\nsecond"),
            1,
            "unexpected RuntimeError: first second (a fault of Moongate: please report it)",
        ),
    ],
)
def test_a_server_that_fails_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, line: str | None
) -> None:
    def serve(*_: Any, **__: Any) -> None:
        raise error

    server = types.ModuleType("bootstrap.server")
    server.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bootstrap.server", server)
    result = run("serve")
    assert result.exit_code == status
    assert result.stderr.strip().splitlines() == ([line] if line else [])


def test_garbage_is_not_looked_for_in_what_is_imported_and_is_in_what_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_for: list[bool] = []

    class Server(types.ModuleType):
        @property
        def serve(self) -> Callable[..., None]:
            looked_for.append(gc.isenabled())
            return lambda *_, **__: looked_for.append(gc.isenabled())

    monkeypatch.setitem(sys.modules, "bootstrap.server", Server("bootstrap.server"))

    assert run("serve").exit_code == 0
    assert looked_for == [False, True]
    assert gc.get_freeze_count() > 0


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "bootstrap", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)


def test_the_module_runs_as_a_command(tmp_path: Path) -> None:
    good = in_a_process("check-config", written(tmp_path, GOOD))
    assert (good.returncode, good.stdout.count("\n")) == (0, 2)


def test_no_file_makes_a_traceback(tmp_path: Path) -> None:
    syntax = tmp_path / "syntax.yaml"
    syntax.write_text("a: [1\nb: }")
    binary = tmp_path / "binary"
    binary.write_bytes(bytes(range(256)))
    for path in (tmp_path / "absent", tmp_path, binary, syntax):
        result = run("check-config", str(path))
        assert result.exit_code == 2
        assert result.stderr.startswith(str(path))
        assert len(result.stderr.splitlines()) == 1
    failed = in_a_process("check-config", str(syntax))
    assert (failed.returncode, len(failed.stderr.splitlines())) == (2, 1)

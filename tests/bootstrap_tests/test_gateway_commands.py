"""The commands that ask a running gateway, as the composition root puts them together."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dependency_injector.providers import Object

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.cli.admin.naming import named
from adapters.inbound.http.admin.route import AnyRoute
from bootstrap import Container
from bootstrap.cli import _configured_url, cli
from bootstrap.settings import parse_settings

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MOONGATE_") or name in {"REDIS_URL", "DATABASE_URL"}:
            monkeypatch.delenv(name)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def declared(route: AnyRoute) -> tuple[Any, ...]:
    """All of a route but its handler."""
    told = (route.request, route.query, route.response, route.status, route.media)
    return (route.name, route.permission, route.summary, *told)


def test_commands_know_the_table_that_is_served(tmp_path: Path) -> None:
    settings = parse_settings({}, environ={}).settings
    container = Container(settings=settings, master_key="mg_test", data_dir=Object(tmp_path))
    served = container.admin_api().routes

    assert sorted(map(declared, declared_routes()), key=str) == sorted(map(declared, served), key=str)


def test_every_resource_has_a_group_and_no_command_of_this_machine_is_lost() -> None:
    told = run("--help").stdout
    here, _, asking = told.partition("Ask a running gateway:")

    resources = {each.groups[0] for each in named(declared_routes())}
    named_so = [f"live-{word}" if word in cli.commands else word for word in resources]
    assert [line.split()[0] for line in asking.splitlines() if line] == sorted(named_so)
    assert all(f"  {name} " in here for name in ("check-config", "db", "routes", "serve", "version", "worker"))


def test_a_command_of_this_machine_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("model_aliases: {}")

    assert "echo" in run("routes", "--config", str(tmp_path / "gateway.yaml")).stdout


@pytest.mark.parametrize(
    ("text", "environ", "url"),
    [
        ("{}", {}, "http://127.0.0.1:8080"),
        ("server: {host: 0.0.0.0, port: 1234}", {}, "http://127.0.0.1:1234"),
        ("server: {host: '::1', port: 1234}", {"MOONGATE_PORT": "99"}, "http://[::1]:99"),
        (None, {"MOONGATE_HOST": "10.0.0.1"}, "http://10.0.0.1:8080"),
    ],
)
def test_the_address_is_the_one_that_serve_would_listen_on(
    text: str | None, environ: dict[str, str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    path = None if text is None else tmp_path / "gateway.yaml"
    if path is not None and text is not None:
        path.write_text(text)

    assert _configured_url(path) == url


def test_a_file_that_cannot_be_used_is_told_in_its_own_words(tmp_path: Path) -> None:
    result = run("keys", "list", "--config", str(tmp_path / "absent"))

    assert (result.exit_code, result.stderr) == (2, f"{tmp_path / 'absent'}: No such file or directory\n")


def modules_after(words: str) -> set[str]:
    """What a process has imported when it has done this."""
    program = f"import sys\nfrom bootstrap.cli import cli\ntry: cli.main({words.split()!r})\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "print(*sys.modules, file=sys.stderr)"],
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name for name in done.stderr.split() if name}


def test_commands_import_no_more_than_they_need() -> None:
    heavy = {"bootstrap.container", "sqlalchemy", "redis", "aiohttp", "dependency_injector"}

    assert modules_after("--help") & heavy == set()
    assert modules_after("version") & {*heavy, "quart", "httpx", "adapters.inbound.http.admin.keys"} == set()

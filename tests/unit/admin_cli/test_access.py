"""Which gateway, and as whom."""

from pathlib import Path

import pytest

from adapters.inbound.http.admin.route import Method
from tests.unit.admin_cli.typed import KEY, URL, Typist, route

TABLE = (route(Method.GET, "/status"),)
LOCAL = "http://127.0.0.1:8080"


def kept(folder: Path, text: str = "mg_master_kept\n") -> Path:
    (folder / "master_key").write_text(text)
    return folder


def test_a_key_of_the_environment_goes_out_as_a_bearer_and_nowhere_else() -> None:
    typist = Typist(TABLE)
    typist("status")
    (request,) = typist.gateway.seen

    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(request.url)
    assert KEY not in repr(typist.reached)


@pytest.mark.parametrize(
    ("words", "environ", "key"),
    [
        (("--key-file", "FILE"), {"MOONGATE_ADMIN_KEY": "a", "MOONGATE_MASTER_KEY": "m"}, "of-a-file"),
        ((), {"MOONGATE_ADMIN_KEY": "a", "MOONGATE_MASTER_KEY": "m"}, "a"),
        ((), {"MOONGATE_ADMIN_KEY": "", "MOONGATE_MASTER_KEY": "m"}, "m"),
        ((), {}, "mg_master_kept"),
    ],
)
def test_the_nearest_key_is_used(words: tuple[str, ...], environ: dict[str, str], key: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(" of-a-file\n")
    typist = Typist(TABLE, environ=environ, data_dir=kept(tmp_path))

    result = typist("status", "--url", LOCAL, *(str(tmp_path / "file") if word == "FILE" else word for word in words))

    assert result.exit_code == 0, result.stderr
    assert [access.key for access in typist.reached] == [key]


@pytest.mark.parametrize("url", [LOCAL, "http://localhost", "https://[::1]:1/", "http://127.8.9.10"])
def test_the_kept_key_is_for_this_machine(url: str, tmp_path: Path) -> None:
    assert Typist(TABLE, environ={}, data_dir=kept(tmp_path))("status", "--url", url).exit_code == 0


@pytest.mark.parametrize("url", ["http://10.0.0.1", "http://localhost.example.org", "http://127.0.0.1.example.org"])
def test_the_kept_key_goes_to_nobody_else(url: str, tmp_path: Path) -> None:
    typist = Typist(TABLE, environ={}, data_dir=kept(tmp_path))

    result = typist("status", "--url", url)

    assert (result.exit_code, typist.gateway.seen) == (2, [])
    assert result.stderr.startswith(f"no key for {url}: ")


def test_without_any_key_it_is_said_where_one_is_looked_for() -> None:
    result = Typist(TABLE, environ={})("status")

    line = "no key: set MOONGATE_ADMIN_KEY or MOONGATE_MASTER_KEY, or give --key-file; "
    assert (result.exit_code, result.stderr) == (2, f"{line}there is no nowhere/master_key either\n")


@pytest.mark.parametrize("content", [b"", b"two keys", b"a\nb", b"\xff\xfe", b"x" * 3 + b"\x00"])
def test_a_file_that_holds_no_key_is_refused_without_showing_it(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    result = Typist(TABLE)("status", "--key-file", str(path))

    assert (result.exit_code, result.stderr) == (2, f"{path}: expected a key, found something else\n")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = Typist(TABLE)("status", "--key-file", str(tmp_path / "absent"))

    assert (result.exit_code, result.stderr) == (2, f"{tmp_path / 'absent'}: No such file or directory\n")


@pytest.mark.parametrize(
    ("words", "environ", "url"),
    [
        ((), {}, URL),
        ((), {"MOONGATE_CONFIG": "file"}, "http://file.test"),
        ((), {"MOONGATE_CONFIG": "file", "MOONGATE_URL": "http://set"}, "http://set"),
        (("--config", "typed"), {"MOONGATE_URL": "http://set"}, "http://typed.test"),
        (("--config", "typed", "--url", "http://told/"), {"MOONGATE_URL": "http://set"}, "http://told"),
    ],
)
def test_the_nearest_address_is_used(words: tuple[str, ...], environ: dict[str, str], url: str) -> None:
    typist = Typist(TABLE)

    result = typist("status", *words, environ={"MOONGATE_URL": None, "MOONGATE_CONFIG": None, **environ})  # type: ignore[dict-item]

    assert result.exit_code == 0, result.stderr
    assert [access.url for access in typist.reached] == [url]


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://x:0", "http://x:y"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    result = Typist(TABLE)("status", "--url", url)

    line = "the gateway's URL: expected one such as http://127.0.0.1:8080"
    assert (result.exit_code, result.stderr) == (2, f"{line}\n")


def test_no_option_takes_a_key() -> None:
    told = Typist(TABLE)("status", "show", "--help").stdout

    assert "--key " not in told
    assert "read the arguments of its programs" in " ".join(told.split())

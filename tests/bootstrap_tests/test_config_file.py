from pathlib import Path

import pytest

from bootstrap.config_file import expand, parse_document, read_document
from bootstrap.configuration_error import ConfigurationError
from tests.bootstrap_tests.documents import errors_in, load, settings_of


def lines_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, "gateway.yaml")
    return caught.value.lines


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("${HOST}", "example.org"),
        ("http://${HOST}:${PORT:-8000}/v1", "http://example.org:8000/v1"),
        ("${EMPTY:-default}", "default"),
        ("${UNSET:-}", ""),
        ("${HOST:-other}", "example.org"),
        ("$${HOST} costs $5", "${HOST} costs $5"),
        ("${TRICKY}", "${HOST}"),
    ],
)
def test_expansion_fills_in_variables_and_defaults(written: str, expanded: str) -> None:
    environ = {"HOST": "example.org", "EMPTY": "", "TRICKY": "${HOST}"}
    result = expand({"a": [written], written: 1}, environ)
    assert result.document == {"a": [expanded], written: 1}
    assert result.warnings == ()


def test_expansion_of_an_unset_variable_is_empty_and_warned_about_with_its_path() -> None:
    result = expand({"model_list": [{"provider": {"api_key": "${OPENAI_KEY_1}"}}]}, {})
    assert result.document == {"model_list": [{"provider": {"api_key": ""}}]}
    assert result.warnings == (
        "model_list[0].provider.api_key: the environment variable OPENAI_KEY_1 is not set; read as empty",
    )


@pytest.mark.parametrize("written", ["${", "${}", "${1X}", "${A-b}", "${A"])
def test_expansion_refuses_what_is_no_variable(written: str) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.host: expected \$\{VARIABLE\}"):
        expand({"server": {"host": written}}, {"A": "a"})


def test_types_are_read_after_expansion() -> None:
    text = """
    server: {port: "${PORT:-8081}", workers: "${WORKERS}"}
    auth: {require_auth: "${AUTH:-false}"}
    router: {failover_timeout_multiple: "${M:-2.5}", idle_timeout: "${IDLE:-90}"}
    model_list: [{model_name: m, provider: {type: "${TYPE:-echo}"}, rpm: "${RPM:-}", weight: "${W:-0.5}"}]
    """
    settings = settings_of(text, {"WORKERS": "3"})
    assert (settings.server.port, settings.server.workers, settings.auth.require_auth) == (8081, 3, False)
    assert (settings.router.failover_timeout_multiple, settings.router.idle_timeout_us) == (2.5, 90_000_000)
    assert (settings.models[0].rpm, settings.models[0].weight) == (None, 0.5)


def test_errors_never_show_what_the_environment_holds() -> None:
    lines = errors_in("server: {port: '${SECRET}'}\nrouter: {idle_timeout: '${SECRET}'}", {"SECRET": "sk-123"})
    assert lines[0] == "server.port: expected a whole number, found what '${SECRET}' stands for"
    assert "sk-123" not in "".join(lines)


def test_keys_with_a_default_in_the_environment_need_not_be_written() -> None:
    environ = {"REDIS_URL": "redis://r", "DATABASE_URL": "postgresql://d", "MOONGATE_MASTER_KEY": "k\n"}
    loaded = load("server: {port: 1}\nauth:\n", environ)
    settings = loaded.settings
    assert settings.redis.url.get_secret_value() == "redis://r"
    assert settings.database.url.get_secret_value() == "postgresql://d"
    assert settings.auth.master_key.get_secret_value() == "k"
    assert loaded.warnings == ()


def test_a_key_given_twice_is_an_error_wherever_it_stands() -> None:
    text = "server:\n  port: 1\n  host: a\n  port: 2\nmodel_list:\n  - {rpm: 1, rpm: 2}\nserver: {}\n"
    assert lines_of(text) == (
        "server.port: given twice, in lines 2 and 4",
        "model_list[0].rpm: given twice, in lines 6 and 6",
        "server: given twice, in lines 1 and 7",
    )


def test_merge_keys_and_anchors_are_no_duplicates() -> None:
    text = "a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: *a\n"
    assert parse_document(text, "f") == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}


def test_dates_stay_text() -> None:
    assert parse_document("v: 2024-10-21", "f") == {"v": "2024-10-21"}


@pytest.mark.parametrize(
    "text",
    [
        *("a: [1", "a: b: c", "\tx: 1", "a: !!python/object:os.system {}", "--- 1\n--- 2", "a: 0b_", "a: \x00"),
        *("a: !!bool x", "a: !!int ''", "a: !!float ''", "a: !!timestamp x"),
    ],
)
def test_broken_yaml_is_one_line_that_names_the_file(text: str) -> None:
    (line,) = lines_of(text)
    assert line.startswith("gateway.yaml")
    assert "\n" not in line


@pytest.mark.parametrize(
    "text", ["*Tr0ub4dor", "!Tr0ub4dor", "!Tr0ub4dor x", "!Tr'0ub4dor", "!a!Tr0ub4dor x", "&Tr0ub4dor$ x"]
)
def test_broken_yaml_shows_no_secret(text: str) -> None:
    (line,) = lines_of(f"auth:\n  master_key: {text}\n")

    assert line.startswith("gateway.yaml:2:")
    assert "ub4dor" not in line


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: @b", "found character '@' that cannot start any token"),
        ("a: [1}", "expected ',' or ']', but got '}'"),
        ("a: *bc", "found undefined alias (not shown, as it may be secret)"),
    ],
)
def test_broken_yaml_says_what_is_wrong(text: str, problem: str) -> None:
    assert lines_of(text)[0].endswith(f": not valid YAML: {problem}")


def test_broken_yaml_names_line_and_column() -> None:
    assert lines_of("a: 1\nb: c: d\n")[0].startswith("gateway.yaml:2:5: not valid YAML: ")


@pytest.mark.parametrize("text", ["[" * 5_000, "a: &a [*a]", "{a: " * 100 + "1" + "}" * 100])
def test_endless_nesting_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="nested"):
        expand(parse_document(text, "gateway.yaml"), {})


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null"])
def test_an_empty_file_is_an_empty_mapping(text: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text(text)
    assert read_document(path) == {}


@pytest.mark.parametrize("text", ["[1]", "text", "5"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    assert errors_in(text) == ["the configuration: expected a mapping of keys to values"]


def test_unreadable_files_are_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x7fELF\x00\xff\xfe")
    for path, reason in (
        (tmp_path / "absent", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (binary, "expected YAML in UTF-8"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_document(path)
        (line,) = caught.value.lines
        assert line.startswith(f"{path}: {reason}")

"""What operators are told by, as it is put together."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bootstrap import Container
from bootstrap.cli import cli
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import parse_settings
from bootstrap.settings.secrets import secrets_of
from tests.e2e.gateway_process import python_path

DOCUMENT = {
    "auth": {"master_key": "the-master-key", "key_pepper": "a pepper of enough characters"},
    "redis": {"url": "redis+sentinel://user:red%2Fis-secret@h1:1,h2:2/main"},
    "database": {"url": "postgresql://u:db-secret@h/d"},
    "cache": {"url": "redis://:cache-secret@h:1/0"},
    "model_list": [
        {
            "model_name": "m",
            "provider": {
                "type": "openai",
                "model": "m",
                "api_key": "provider-secret",
                "headers": {"X-Auth": "Token header-secret"},
            },
        }
    ],
}


def test_every_secret_of_the_configuration_is_known() -> None:
    found = secrets_of(parse_settings(DOCUMENT, environ={}).settings)

    expected = {"the-master-key", "a pepper of enough characters", "red%2Fis-secret", "red/is-secret", "db-secret"}
    assert expected | {"cache-secret", "provider-secret", "Token header-secret", "header-secret"} <= found
    assert "" not in found


def test_words_of_headers_that_are_no_credentials_and_plain_urls_are_no_secrets() -> None:
    headers = {
        "X-Title": "moongate",
        "HTTP-Referer": "https://example.org/a",
        "Cookie": "session-cookie",
        "X-Tenant": "tenant-5",
    }
    provider = {"type": "openai", "api_key": "provider-secret", "headers": headers}
    document = {
        "model_list": [{"model_name": "m", "provider": provider}],
        "redis": {"url": "redis://cache:6379/0"},
        "database": {"url": "postgresql://h/d?password=db-secret"},
    }

    found = secrets_of(parse_settings(document, environ={}).settings)

    assert found == {"provider-secret", "session-cookie", "tenant-5", "postgresql://h/d?password=db-secret"}


def test_secret_that_is_no_url_though_it_looks_like_one_is_known() -> None:
    headers = {"Authorization": "https://[staging.example"}
    provider = {"type": "openai", "api_key": "https://u:p@[x", "headers": headers}
    settings = parse_settings({"model_list": [{"model_name": "m", "provider": provider}]}, environ={}).settings

    assert set(secrets_of(settings)) == {"https://[staging.example", "https://u:p@[x", "p"}


def test_generated_master_key_is_known_too() -> None:
    container = Container(settings=parse_settings({}, environ={}).settings, master_key="generated-secret")

    assert container.redactor().redact("it is generated-secret") == "it is [redacted]"


def test_endpoint_without_its_packages_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adapters.outbound.telemetry.otlp", None)
    settings = parse_settings({"observability": {"otlp_endpoint": "http://collector:4318"}}, environ={}).settings

    with pytest.raises(ConfigurationError, match=r"^observability\.otlp_endpoint: .*install moongate\[otlp\]"):
        Container(settings=settings, master_key="k").app()


def test_file_whose_endpoint_needs_packages_is_not_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "adapters.outbound.telemetry.otlp", None)
    file = tmp_path / "gateway.yaml"
    file.write_text("observability: {otlp_endpoint: 'http://collector:4318'}")

    result = CliRunner().invoke(cli, ["check-config", str(file)])

    assert (result.exit_code, "install moongate[otlp]" in result.output) == (2, True)


def test_gateway_without_an_endpoint_loads_no_exporter(tmp_path: Path) -> None:
    script = (
        "import sys; from bootstrap import Container; from bootstrap.settings import parse_settings;"
        "Container(settings=parse_settings({}, environ={}).settings, master_key='k').app();"
        "sys.exit(any(name.startswith('opentelemetry.exporter') for name in sys.modules))"
    )
    # Not the SDK as a whole: where it is installed, the Redis client loads it.
    environment = {"PYTHONPATH": python_path()}

    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=False).returncode == 0

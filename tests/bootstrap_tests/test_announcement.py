import json
import shlex
import subprocess
from pathlib import Path

import pytest

from bootstrap.announcement import announcement
from bootstrap.data_directory import KeySource, MasterKey, master_key
from tests.bootstrap_tests.documents import settings_of

CONFIGURED = MasterKey("hidden", KeySource.CONFIGURED, None)


def curl_in(text: str) -> str:
    (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith("curl ")]
    return line


def run_by_a_shell(curl: str, tmp_path: Path, environ: dict[str, str]) -> list[str]:
    """The arguments that curl would be given."""
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o700)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", **environ}
    done = subprocess.run(["/bin/sh", "-c", curl], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.splitlines()


def test_the_curl_line_works_as_printed_with_a_kept_key(tmp_path: Path) -> None:
    key = master_key(tmp_path / "it's here", "")
    curl = curl_in(announcement(settings_of(""), key, is_terminal=False))
    url, _, authorization, _, _, _, body = run_by_a_shell(curl, tmp_path, {})
    assert url == "http://127.0.0.1:8080/v1/chat/completions"
    assert authorization == f"Authorization: Bearer {key.value}"
    assert json.loads(body) == {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}


def test_the_curl_line_works_as_printed_with_a_configured_key(tmp_path: Path) -> None:
    text = announcement(settings_of("model_list: [{model_name: it's, provider: {type: echo}}]"), CONFIGURED, True)
    arguments = run_by_a_shell(curl_in(text), tmp_path, {"MOONGATE_MASTER_KEY": "mine"})
    assert "Authorization: Bearer mine" in arguments
    assert json.loads(arguments[-1])["model"] == "it's"
    assert "hidden" not in text


def test_a_new_key_is_printed_once_and_only_on_a_terminal(tmp_path: Path) -> None:
    settings = settings_of("")
    generated = master_key(tmp_path, "")
    stored = master_key(tmp_path, "")
    assert announcement(settings, generated, is_terminal=True).count(generated.value) == 1
    assert generated.value not in announcement(settings, generated, is_terminal=False)
    assert stored.value not in announcement(settings, stored, is_terminal=True)


def test_the_curl_line_asks_for_the_first_model_that_can_answer() -> None:
    text = """
    model_list:
      - {model_name: keyless, provider: {type: openai}}
      - {model_name: resting, enabled: false, provider: {type: echo}}
      - {model_name: good, provider: {type: echo}}
    """
    arguments = shlex.split(curl_in(announcement(settings_of(text), CONFIGURED, is_terminal=False)))
    assert json.loads(arguments[-1])["model"] == "good"


def test_the_curl_line_has_no_key_where_none_is_asked_for() -> None:
    text = announcement(settings_of("auth: {require_auth: false}"), CONFIGURED, is_terminal=False)
    assert "Authorization" not in text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("gateway.example", "http://gateway.example:8080"),
    ],
)
def test_the_address_is_one_that_a_client_can_use(host: str, address: str) -> None:
    text = announcement(settings_of(f"server: {{host: '{host}'}}"), CONFIGURED, is_terminal=False)
    assert text.startswith(f"Moongate listens on {address}\n")
    assert f"curl {address}/v1/chat/completions " in text or f"curl '{address}/v1/chat/completions' " in text

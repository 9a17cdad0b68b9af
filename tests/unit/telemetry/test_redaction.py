import pytest

from domain.redaction import Redactor


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop",
        "sk-ab***************wxyz",
        "mg_0123456789abcdef",
        "gsk_0123456789abcdef",
        "gw_live_0123456789abcdef",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Bearer abcdef0123456789",
        "10.12.13.14:8000",
        "192.168.1.20",
        "127.0.0.1:11434",
        "169.254.169.254",
    ],
)
def test_a_message_loses_what_looks_like_a_credential(secret: str) -> None:
    cleaned = Redactor().clean(f"refused {secret}, sorry")
    assert secret.rsplit(maxsplit=1)[-1] not in cleaned
    assert cleaned.startswith("refused [redacted]")
    assert cleaned.endswith("sorry")


def test_a_message_loses_the_instances_own_secrets() -> None:
    assert Redactor(["hunter2hunter2", "abc"]).clean("key hunter2hunter2 abc") == "key [redacted] abc"


def test_a_message_is_one_line_of_bounded_length() -> None:
    cleaned = Redactor().clean("a\r\nb\x00\x1b[31m" + "c" * 9_000)
    assert cleaned.startswith("a b [31mccc")
    assert len(cleaned) == 2_000


def test_an_ordinary_message_stays_as_it_is() -> None:
    message = "You passed 1015 input tokens, but the limit is 10.5 per second. 'risk-assessment' is unknown."
    assert Redactor().clean(message) == message


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("redis://:hunter2@host:1/0", "redis://[redacted]@host:1/0"),
        ("postgresql://u:p@ss@host/d", "postgresql://[redacted]@host/d"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'[redacted]'}"),
        ("(b'authorization', b'abcdef')", "(b'[redacted]')"),
        ("x-api-key: abcdef99", "x-[redacted]"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==", "Proxy-[redacted]"),
        ("AUTHORIZATION=abcdef", "[redacted]"),
    ],
)
def test_credentials_of_headers_and_urls_go_from_the_log(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "no authorization header, basic understanding",
        "http://host/a:b/c@d",
        "GET http://127.0.0.1:8080/ 10.0.0.1",
        "two\nlines\tof text",
        "Basic plan",
    ],
)
def test_log_keeps_what_is_no_credential(text: str) -> None:
    assert Redactor().redact(text) == text


def test_secret_that_holds_another_goes_as_a_whole() -> None:
    redactor = Redactor(["secret-a"])
    redactor.learn(["secret-a-and-more"])

    assert redactor.redact("secret-a-and-more, secret-a") == "[redacted], [redacted]"


def test_every_sign_leads_to_the_pattern_and_every_shape_has_a_sign() -> None:
    shapes = ["sk-abcdef1", "gsk_abcdef1", "xai-abcdef1", "pplx-abcdef1", "hf_abcdef1", "gw-abcdef1", "mg_abcdef1"]
    shapes += ["ghp_abcdef1", "r8_abcdef1", "AIza" + "x" * 20, "AKIA" + "X" * 14, "ASIA" + "X" * 14]
    shapes += ["eyJabcdefgh.abc", "BEARER abcdefgh1", "bearer abcdefgh1", "Api-Key: abcdef1", "a://u:p@h"]

    assert [shape for shape in shapes if "[redacted]" not in Redactor().redact(shape)] == []

import pytest

from adapters.outbound.providers.redaction import Redactor


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

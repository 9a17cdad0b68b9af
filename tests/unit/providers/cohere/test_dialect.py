import pytest

from adapters.outbound.providers.cohere.dialect import CohereConfig, CohereDialect
from adapters.outbound.providers.dialect import Asked
from tests.unit.providers.cohere.asking import HI

ASKED = Asked({"messages": HI, "input": "Hi"}, "m", drop_params=True)


def test_no_secret_stands_in_a_configurations_representation() -> None:
    config = CohereConfig("co-very-secret", headers={"x-token": "also-secret"})

    assert "secret" not in repr(config)


def test_operations_stand_under_the_base_url() -> None:
    dialect = CohereDialect(CohereConfig("k", "https://cohere.test/own/"))

    assert str(dialect.chat(ASKED).url) == "https://cohere.test/own/v2/chat"
    assert str(dialect.embeddings(ASKED).url) == "https://cohere.test/own/v2/embed"
    check = dialect.check()
    assert (check.method, str(check.url)) == ("GET", "https://cohere.test/own/v1/models?page_size=1")


async def test_a_configured_header_wins_over_the_usual() -> None:
    dialect = CohereDialect(CohereConfig("k", headers={"Authorization": "Token own", "X-Client-Name": "us"}))

    whole = dict(await dialect.headers(dialect.chat(ASKED), stream=False))
    stream = dict(await dialect.headers(dialect.chat(ASKED), stream=True))

    assert whole[b"authorization"] == b"Token own"
    assert whole[b"x-client-name"] == b"us"
    assert (whole[b"accept"], stream[b"accept"]) == (b"application/json", b"text/event-stream")


def test_secrets_are_taken_out_of_coheres_words() -> None:
    redactor = CohereDialect(CohereConfig("the-api-key", "https://c.internal.test", {"x": "Token hunter2"})).redactor

    assert redactor.clean("the-api-key hunter2 at c.internal.test") == "[redacted] [redacted] at [redacted]"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"base_url": "file:///etc/passwd"}, "http"),
        ({"base_url": "host:80"}, "http"),
        ({"base_url": "http://user:pass@host"}, "credential"),
        ({"api_key": "co-a\r\nx: y"}, "unsendable"),
        ({"headers": {"bad name": "x"}}, "unsendable"),
        ({"headers": {"x": "a\nb"}}, "unsendable"),
    ],
)
def test_a_senseless_configuration_is_refused_without_its_secrets(config: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        CohereConfig(**config)  # type: ignore[arg-type]  # one case has headers

    assert "co-a" not in str(refused.value)
    assert "pass@" not in str(refused.value)

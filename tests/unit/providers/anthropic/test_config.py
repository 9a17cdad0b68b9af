import pytest

from adapters.outbound.providers.anthropic.config import AnthropicConfig


@pytest.mark.parametrize("base_url", ["http://own.example", "http://own.example/", "http://own.example/v1/"])
def test_the_version_of_the_api_stands_once_in_the_path(base_url: str) -> None:
    assert str(AnthropicConfig(base_url).url("messages")) == "http://own.example/v1/messages"
    assert str(AnthropicConfig(f"{base_url.removesuffix('/')}/lane").url("models")).endswith("/lane/v1/models")


def test_the_key_is_a_header_and_no_part_of_the_representation() -> None:
    config = AnthropicConfig(api_key="sk-ant-our-own-key", headers={"X-Tenant": "the-secret-one"})
    sent = dict(config.request_headers("application/json"))
    assert (sent[b"x-api-key"], sent[b"x-tenant"]) == (b"sk-ant-our-own-key", b"the-secret-one")
    assert sent[b"anthropic-version"] == b"2023-06-01"
    assert "our-own" not in repr(config)
    assert "the-secret" not in repr(config)
    assert config.redactor().clean("key sk-ant-our-own-key of the-secret-one") == "key [redacted] of [redacted]"


def test_no_key_is_no_header() -> None:
    assert b"x-api-key" not in dict(AnthropicConfig("http://own.example").request_headers("application/json"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"base_url": "own.example"}, "http"),
        ({"base_url": "ftp://own.example"}, "http"),
        ({"base_url": "http://me:secret@own.example"}, "credential"),
        ({"api_key": "sk\nant"}, "unsendable"),
        ({"headers": {"a b": "c"}}, "unsendable"),
    ],
)
def test_a_way_that_can_not_be_gone_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        AnthropicConfig(**fields)  # type: ignore[arg-type]

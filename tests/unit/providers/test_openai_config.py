import pytest

from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.presets import PRESETS
from domain.chat import Endpoint


def test_no_secret_stands_in_a_configurations_representation() -> None:
    config = OpenAICompatibleConfig("openai", api_key="sk-very-secret", headers={"x-token": "also-secret"})
    assert "secret" not in repr(config)


def test_a_credential_in_a_header_is_redacted_with_and_without_its_scheme() -> None:
    redactor = OpenAICompatibleConfig("openai", headers={"Authorization": "Token hunter2hunter2"}).redactor()
    assert redactor.clean("bad key hunter2hunter2") == "bad key [redacted]"
    assert redactor.clean("sent Token hunter2hunter2") == "sent [redacted]"


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (OpenAICompatibleConfig("openai"), "https://api.openai.com/v1/chat/completions"),
        (OpenAICompatibleConfig("custom", "http://host:1/v1/"), "http://host:1/v1/chat/completions"),
        (OpenAICompatibleConfig("ollama"), "http://localhost:11434/v1/chat/completions"),
        (
            OpenAICompatibleConfig("azure", "https://r.openai.azure.com/"),
            "https://r.openai.azure.com/openai/deployments/a%2Fb%3Fc/chat/completions?api-version=2024-10-21",
        ),
        (
            OpenAICompatibleConfig("azure", "https://r.openai.azure.com/openai", deployment="d", api_version="v&x"),
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=v%26x",
        ),
    ],
)
def test_an_operation_has_its_url(config: OpenAICompatibleConfig, url: str) -> None:
    assert str(config.url(Endpoint.CHAT, "a/b?c")) == url


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"preset": "nope"}, "expected one of openai, azure"),
        ({"preset": "custom"}, "needs its base_url"),
        ({"preset": "custom", "base_url": "file:///etc/passwd"}, "http"),
        ({"preset": "custom", "base_url": "host:80/v1"}, "http"),
        ({"preset": "custom", "base_url": "http://user:pass@host/v1"}, "credential"),
        ({"preset": "openai", "api_key": "sk-a\r\nx: y"}, "unsendable"),
        ({"preset": "openai", "headers": {"bad name": "x"}}, "unsendable"),
        ({"preset": "openai", "headers": {"x": "a\nb"}}, "unsendable"),
        ({"preset": "openai", "organization": "ключ"}, "unsendable"),
    ],
)
def test_a_senseless_configuration_is_refused_without_its_secrets(config: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        OpenAICompatibleConfig(**config)  # type: ignore[arg-type]  # one case has headers
    assert "sk-a" not in str(refused.value)
    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize(
    ("version", "fields", "asked"),
    [
        (None, {}, True),
        ("2024-09-01-preview", {}, True),
        ("2024-06-01", {}, False),
        ("preview", {}, True),
        ("2024-10-21", {"data_sources": []}, False),
    ],
)
def test_azure_is_asked_for_a_streams_usage_where_it_understands(
    version: str | None, fields: dict[str, object], *, asked: bool
) -> None:
    config = OpenAICompatibleConfig("azure", "https://r.openai.azure.com", api_version=version)
    assert config.asks_stream_usage(fields) is asked


def test_whether_usage_is_asked_for_can_be_configured() -> None:
    assert OpenAICompatibleConfig("mistral", ask_stream_usage=True).asks_stream_usage({})
    assert not OpenAICompatibleConfig("openai", ask_stream_usage=False).asks_stream_usage({})


@pytest.mark.parametrize(
    ("config", "native"),
    [
        (OpenAICompatibleConfig("openai"), True),
        (OpenAICompatibleConfig("mistral"), False),
        (OpenAICompatibleConfig("custom", "http://h/v1"), False),
        (OpenAICompatibleConfig("custom", "http://h/v1", responses=True), True),
        (OpenAICompatibleConfig("azure", "https://r.openai.azure.com"), False),
        (OpenAICompatibleConfig("azure", "https://r.openai.azure.com", api_version="2025-03-01-preview"), True),
        (OpenAICompatibleConfig("azure", "https://r.openai.azure.com", responses=True), True),
    ],
)
def test_responses_are_asked_for_where_they_are(config: OpenAICompatibleConfig, *, native: bool) -> None:
    assert (Endpoint.RESPONSES in config.native) is native


def test_responses_of_azure_stand_beside_its_deployments() -> None:
    config = OpenAICompatibleConfig("azure", "https://r.openai.azure.com", api_version="2025-04-01-preview")
    assert (
        str(config.url(Endpoint.RESPONSES, "d"))
        == "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview"
    )


def test_presets_say_what_they_can_serve() -> None:
    everything = {Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS}
    heard = {Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS}
    media = heard | {Endpoint.SPEECH, Endpoint.IMAGES}
    assert {name: preset.capabilities.supports for name, preset in PRESETS.items()} == {
        "openai": everything | media | {Endpoint.MODERATIONS, Endpoint.RESPONSES},
        "azure": everything | media,
        "custom": everything | media | {Endpoint.MODERATIONS, Endpoint.RERANK},
        "ollama": everything,
        "huggingface": everything,
        "vllm": everything | heard | {Endpoint.RERANK},
        "mistral": everything | {Endpoint.MODERATIONS, Endpoint.TRANSCRIPTIONS},
        "groq": {Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.RESPONSES, Endpoint.SPEECH} | heard,
        "openrouter": everything | {Endpoint.RESPONSES, Endpoint.SPEECH, Endpoint.RERANK},
    }

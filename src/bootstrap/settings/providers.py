"""What each type of provider can be told."""

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, field_validator

from bootstrap.settings.annotations import (
    HeaderName,
    HttpUrl,
    Name,
    OptionalName,
    Rate,
    Secret,
    Section,
    Span,
)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


class _AnyProvider(Section):
    """The keys that every type has.

    `base_url` empty means the provider's own address, which is the default where a type has one.
    """

    needs_key: ClassVar[bool] = True

    model: OptionalName = None
    api_key: Secret = SecretStr("")
    base_url: HttpUrl = ""
    headers: Mapping[HeaderName, Secret] = Field(default_factory=dict)
    _has_responses: bool = PrivateAttr(default=False)

    @property
    def has_responses(self) -> bool:
        """Whether the instance's entry says that its server has OpenAI's responses."""
        return self._has_responses

    def with_capabilities(self, capabilities: Collection[str]) -> Self:
        """These settings, with what an instance's entry says of its server beside them."""
        if "responses" not in capabilities:
            return self
        known = self.model_copy()
        known._has_responses = True  # noqa: SLF001 - the copy's own
        return known

    @field_validator("base_url", mode="before")
    @classmethod
    def _own_address(cls, value: object) -> object:
        return value or cls.model_fields["base_url"].default

    def lacks(self) -> str | None:
        """The key without which it can't be called; None where all is there."""
        return "api_key" if self.needs_key and self._at_home() and not self.api_key.get_secret_value() else None

    def upstream_model(self, model_name: str) -> str:
        """The name that the provider knows the model by."""
        return self.model or model_name

    def _at_home(self) -> bool:
        """Whether it is the provider's own service, where nobody comes in without a key."""
        own = str(type(self).model_fields["base_url"].default)
        return urlsplit(self.base_url).hostname == urlsplit(own).hostname


class OpenAiProvider(_AnyProvider):
    """OpenAI, or anything that speaks its dialect at `base_url`."""

    type: Literal["openai"] = "openai"
    base_url: HttpUrl = "https://api.openai.com/v1"
    organization: str = ""
    project: str = ""


class AzureProvider(_AnyProvider):
    """Azure OpenAI. `deployment` wins over `model`, `base_url` over `endpoint`."""

    type: Literal["azure"] = "azure"
    api_version: Name = "2024-10-21"
    deployment: OptionalName = None
    endpoint: HttpUrl = ""

    def lacks(self) -> str | None:
        """The key, or an address: there is no common one."""
        if not self.api_key.get_secret_value():
            return "api_key"
        return None if self.endpoint or self.base_url else "endpoint"

    def upstream_model(self, model_name: str) -> str:
        """The deployment."""
        return self.deployment or self.model or model_name


class AnthropicProvider(_AnyProvider):
    """Anthropic's Messages API."""

    type: Literal["anthropic"] = "anthropic"
    base_url: HttpUrl = "https://api.anthropic.com"


class BedrockProvider(_AnyProvider):
    """Amazon Bedrock. `api_key` is a Bedrock API key; without it and without keys the machine's own are used."""

    type: Literal["bedrock"] = "bedrock"
    region: str = ""
    access_key_id: Secret = SecretStr("")
    secret_access_key: Secret = SecretStr("")
    session_token: Secret = SecretStr("")
    profile: str = ""

    def lacks(self) -> str | None:
        """The region, or the other half of a pair of keys."""
        given = {name: bool(getattr(self, name).get_secret_value()) for name in ("access_key_id", "secret_access_key")}
        if len(set(given.values())) > 1:
            return next(name for name, is_there in given.items() if not is_there)
        return None if self.region or self.base_url else "region"


class VertexProvider(_AnyProvider):
    """Google Vertex AI. Without a credentials file the machine's own credentials are used."""

    type: Literal["vertex"] = "vertex"
    project: str = ""
    location: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    credentials_file: str = ""

    def lacks(self) -> str | None:
        """Project or location."""
        return next((key for key in ("project", "location") if not getattr(self, key)), None)


class GeminiProvider(_AnyProvider):
    """Google's Gemini API."""

    type: Literal["gemini"] = "gemini"
    base_url: HttpUrl = "https://generativelanguage.googleapis.com"


class CohereProvider(_AnyProvider):
    """Cohere."""

    type: Literal["cohere"] = "cohere"
    base_url: HttpUrl = "https://api.cohere.com"


class HuggingFaceProvider(_AnyProvider):
    """Hugging Face's inference router."""

    type: Literal["huggingface"] = "huggingface"
    base_url: HttpUrl = "https://router.huggingface.co/v1"


class MistralProvider(_AnyProvider):
    """Mistral."""

    type: Literal["mistral"] = "mistral"
    base_url: HttpUrl = "https://api.mistral.ai/v1"


class GroqProvider(_AnyProvider):
    """Groq."""

    type: Literal["groq"] = "groq"
    base_url: HttpUrl = "https://api.groq.com/openai/v1"


class OpenRouterProvider(_AnyProvider):
    """OpenRouter."""

    type: Literal["openrouter"] = "openrouter"
    base_url: HttpUrl = "https://openrouter.ai/api/v1"


class OllamaProvider(_AnyProvider):
    """Ollama, by default on this machine."""

    needs_key: ClassVar[bool] = False

    type: Literal["ollama"] = "ollama"
    base_url: HttpUrl = "http://127.0.0.1:11434/v1"


class _ElsewhereProvider(_AnyProvider):
    """A server that has no usual address."""

    def lacks(self) -> str | None:
        """Its address."""
        return None if self.base_url else "base_url"


class VllmProvider(_ElsewhereProvider):
    """vLLM's OpenAI-compatible server."""

    type: Literal["vllm"] = "vllm"


class CustomProvider(_ElsewhereProvider):
    """Any OpenAI-compatible server."""

    type: Literal["custom"] = "custom"


class EchoProvider(_AnyProvider):
    """Built in, without a network: answers with what it was asked.

    `stop_after`: breaks a stream off after as many chunks of content; None never does.
    """

    needs_key: ClassVar[bool] = False

    type: Literal["echo"] = "echo"
    delay_us: Span = Field(default=0, alias="delay")
    fail_rate: Rate = 0.0
    fail_status: Annotated[int, Field(ge=400, le=599)] = 500
    stop_after: Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_empty_is_none)] = None


AnyProviderSettings = (
    OpenAiProvider
    | AzureProvider
    | AnthropicProvider
    | BedrockProvider
    | VertexProvider
    | GeminiProvider
    | CohereProvider
    | HuggingFaceProvider
    | MistralProvider
    | GroqProvider
    | OpenRouterProvider
    | OllamaProvider
    | VllmProvider
    | CustomProvider
    | EchoProvider
)
ProviderSettings = Annotated[AnyProviderSettings, Field(discriminator="type")]

PROVIDER_MODELS: Mapping[str, type[AnyProviderSettings]] = {
    model.model_fields["type"].default: model for model in AnyProviderSettings.__args__
}
"""The settings of each type, by its name."""

BUILT_TYPES = frozenset(PROVIDER_MODELS)
"""The types whose adapter this version has. An instance of any other would be disabled."""

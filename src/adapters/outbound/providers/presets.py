"""What the OpenAI-compatible providers do not have in common, as data.

Sources: Groq, "OpenAI Compatibility" (fields it answers 400 to; no completions, no embeddings); Mistral's API
reference and its 422 `extra_forbidden` for `stream_options` (usage always comes with the last chunk); OpenRouter,
"Usage Accounting" (usage always comes, the option is ignored); Ollama, "OpenAI compatibility"; Azure OpenAI's REST
reference (paths, `api-key`; `stream_options` since the API version 2024-09-01-preview, refused before); Hugging
Face's chat completion schema (made from Text Generation Inference's, which ignores `n`, `logit_bias` and
`max_completion_tokens`; its router has no completions) and Text Embeddings Inference's (`/v1/embeddings`). Speech,
transcripts, pictures, moderation and reranking: each provider's own API reference; a self-hosted server is asked for
what its documentation names, whether its model can do it or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from adapters.outbound.providers.capabilities import Capabilities
from domain.chat import Endpoint


class Auth(Enum):
    """Where the key goes."""

    BEARER = "authorization"
    API_KEY = "api-key"


class Paths(Enum):
    """How an operation's URL is made from the base URL."""

    OPENAI = "openai"
    AZURE = "azure"


_EVERYTHING: Final = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})
_HEARD: Final = frozenset({Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS})
_SOUND: Final = _HEARD | {Endpoint.SPEECH}
_RESPONSES: Final = frozenset({Endpoint.RESPONSES})


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of provider.

    Attributes:
        base_url: Where it is by default; None where that must be configured.
        native: Endpoints of text that it has itself.
        forwards: Other endpoints that it has, which are passed on as they are.
        completions_via_chat: `/completions` is answered by its chat.
        asks_stream_usage: `stream_options.include_usage` may be sent along unasked; where not, usage comes anyway.
        renames: Fields that it knows under another name.
        drops: Fields that it refuses and whose effect it has anyway.
        unsupported: Fields that it cannot honour.
        special_fields: All of these three.
        capabilities: The same in the words that all types of providers share.
        new_maximum: Its chat takes `max_completion_tokens`, and some of its models nothing else.
    """

    name: str
    base_url: str | None = None
    auth: Auth = Auth.BEARER
    paths: Paths = Paths.OPENAI
    native: frozenset[Endpoint] = _EVERYTHING
    forwards: frozenset[Endpoint] = frozenset()
    completions_via_chat: bool = False
    asks_stream_usage: bool = True
    renames: Mapping[str, str] = field(default_factory=dict)
    drops: frozenset[str] = frozenset()
    unsupported: frozenset[str] = frozenset()
    new_maximum: bool = False
    special_fields: frozenset[str] = field(init=False)
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "special_fields", frozenset(self.renames) | self.drops | self.unsupported)
        capabilities = Capabilities(
            self.name,
            native=self.native | self.forwards,
            translated=frozenset({Endpoint.COMPLETIONS}) if self.completions_via_chat else frozenset(),
            chat_fields=None,
            refused=self.unsupported,
            unneeded=self.drops,
        )
        object.__setattr__(self, "capabilities", capabilities)

    def maximum_of(self, endpoint: Endpoint) -> str:
        """The field that limits the output."""
        if endpoint is Endpoint.RESPONSES:
            return "max_output_tokens"
        return "max_completion_tokens" if self.new_maximum and endpoint is Endpoint.CHAT else "max_tokens"


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                "openai",
                "https://api.openai.com/v1",
                native=_EVERYTHING | _RESPONSES,
                forwards=_SOUND | {Endpoint.IMAGES, Endpoint.MODERATIONS},
                new_maximum=True,
            ),
            Preset(
                "azure", auth=Auth.API_KEY, paths=Paths.AZURE, forwards=_SOUND | {Endpoint.IMAGES}, new_maximum=True
            ),
            Preset("custom", forwards=frozenset(one for one in Endpoint if one.is_forwarded)),
            Preset("ollama", "http://localhost:11434/v1"),
            Preset("vllm", "http://localhost:8000/v1", forwards=_HEARD | {Endpoint.RERANK}),
            Preset(
                "mistral",
                "https://api.mistral.ai/v1",
                native=_EVERYTHING - {Endpoint.COMPLETIONS},
                forwards=frozenset({Endpoint.MODERATIONS, Endpoint.TRANSCRIPTIONS}),
                completions_via_chat=True,
                asks_stream_usage=False,
                renames={"seed": "random_seed", "max_completion_tokens": "max_tokens"},
                drops=frozenset({"stream_options"}),
                unsupported=frozenset({"logit_bias", "logprobs", "top_logprobs"}),
            ),
            Preset(
                "groq",
                "https://api.groq.com/openai/v1",
                native=frozenset({Endpoint.CHAT}) | _RESPONSES,
                forwards=_SOUND,
                completions_via_chat=True,
                unsupported=frozenset({"logit_bias", "logprobs", "top_logprobs"}),
            ),
            Preset(
                "huggingface",
                "https://router.huggingface.co/v1",
                native=_EVERYTHING - {Endpoint.COMPLETIONS},
                completions_via_chat=True,
                renames={"max_completion_tokens": "max_tokens"},
                unsupported=frozenset({"logit_bias", "n"}),
            ),
            Preset(
                "openrouter",
                "https://openrouter.ai/api/v1",
                native=_EVERYTHING | _RESPONSES,
                forwards=frozenset({Endpoint.SPEECH, Endpoint.RERANK}),
                asks_stream_usage=False,
            ),
        )
    }
)

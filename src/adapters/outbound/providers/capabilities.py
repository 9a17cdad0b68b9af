"""What each type of provider can do, and what becomes of what it can't."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from adapters.outbound.providers.failures import unsupported
from domain.chat import Endpoint

CHAT_PARAMETERS: Final = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "n", "stop"),
    *("max_tokens", "max_completion_tokens", "reasoning_effort", "verbosity", "response_format", "logprobs"),
    *("top_logprobs", "tools", "tool_choice", "parallel_tool_calls", "modalities", "audio", "prediction"),
    *("web_search_options", "user", "safety_identifier", "prompt_cache_key", "service_tier", "store", "metadata"),
)
"""What OpenAI documents for a chat completion beside model, messages and the stream."""

HARMLESS: Final = frozenset(
    {
        *("model", "stream", "stream_options", "user", "store", "metadata", "service_tier"),
        *("safety_identifier", "prompt_cache_key", "prompt_cache_retention"),
    }
)
"""Fields of a chat request that say how it is carried, billed or filed, and change nothing of its answer."""

_MAXIMA: Final = frozenset({"max_tokens", "max_completion_tokens"})
_DEFAULTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "n": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "top_logprobs": 0,
        "parallel_tool_calls": True,
        "modalities": ["text"],
    }
)


class Part(StrEnum):
    """What a message may hold beside text."""

    IMAGE_DATA = "image as data: URL"
    IMAGE_URL = "image by URL"
    AUDIO = "audio"
    FILE = "file as data: URL"


class Treatment(Enum):
    """What becomes of a chat request's field."""

    HONOURED = "honoured"
    WITHOUT_EFFECT = "without effect"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One type of provider.

    Attributes:
        native: Endpoints that it is asked in the client's own words.
        translated: Endpoints that it serves by translation.
        chat_fields: Fields of a chat request that it honours; others are refused, or dropped with `drop_params`. None
            where it is asked as the client asks, but for `refused` and `unneeded`.
        refused: Fields of a chat request that it does not take.
        unneeded: Fields that it does not take and whose effect it has anyway.
        parts: What its messages may hold beside text; whether a model understands it, the model decides.
    """

    name: str
    native: frozenset[Endpoint]
    translated: frozenset[Endpoint]
    chat_fields: frozenset[str] | None
    refused: frozenset[str] = frozenset()
    unneeded: frozenset[str] = frozenset()
    parts: frozenset[Part] = frozenset(Part)

    @property
    def supports(self) -> frozenset[Endpoint]:
        """Endpoints that can be served."""
        return self.native | self.translated

    @property
    def parameters(self) -> frozenset[str]:
        """Which of OpenAI's documented fields it honours, where its model does."""
        return frozenset(name for name in CHAT_PARAMETERS if self.treatment(name) is Treatment.HONOURED)

    def treatment(self, name: str) -> Treatment:
        """What becomes of that field of a chat request."""
        if name in self.refused:
            return Treatment.REFUSED
        if name in self.unneeded:
            return Treatment.WITHOUT_EFFECT
        if self.chat_fields is None or name in self.chat_fields or name in _MAXIMA:
            return Treatment.HONOURED
        return Treatment.WITHOUT_EFFECT if name in HARMLESS else Treatment.REFUSED

    def honoured(self, fields: Mapping[str, object], *, drop_params: bool) -> dict[str, object]:
        """The fields of a chat request that it honours, without those that ask for nothing.

        Raises:
            ProviderFailed: UNSUPPORTED, naming a field that it cannot honour.
        """
        kept = {}
        for name, value in fields.items():
            match self.treatment(name):
                case Treatment.HONOURED if value is not None:
                    kept[name] = value
                case Treatment.REFUSED if not drop_params and not _asks_nothing(name, fields):
                    raise unsupported(name, self.name)
        return kept


def _asks_nothing(name: str, fields: Mapping[str, object]) -> bool:
    """Whether an option is as good as left out: null, empty, off, so anyway, or about no tools."""
    value = fields[name]
    if value is None or value in ([], {}, ""):
        return True
    if name == "parallel_tool_calls" and not fields.get("tools"):
        return True
    return value == _DEFAULTS[name] if name in _DEFAULTS else value is False

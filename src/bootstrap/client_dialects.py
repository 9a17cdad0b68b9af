"""Dialects of clients that a provider has not itself, spoken to its chat."""

from collections.abc import Mapping
from typing import Final

from adapters.outbound.providers.responses_via_chat.chat_flavour import TRANSLATED, ChatFlavour
from adapters.outbound.providers.responses_via_chat.dialect import ResponsesDialect
from adapters.outbound.providers.via_chat import ChatDialect, ViaChat
from application.ports.provider import Provider
from domain.chat import Endpoint

_DIALECTS: Final = frozenset({Endpoint.RESPONSES})

# What servers of OpenAI's dialect take of a response's request. The others are this gateway's own translations.
_RESPONSES: Final[Mapping[str, ChatFlavour]] = {
    "openai": ChatFlavour(hints=True),
    "azure": ChatFlavour(hints=True),
    "custom": ChatFlavour(hints=True),
    "vllm": ChatFlavour(reasoning=True, hints=True),
    "ollama": ChatFlavour(reasoning=True, hints=True),
    "openrouter": ChatFlavour(reasoning=True, hints=True),
    "mistral": ChatFlavour(),
    "groq": ChatFlavour(),
    "huggingface": ChatFlavour(),
}


def with_dialects(supports: frozenset[Endpoint]) -> frozenset[Endpoint]:
    """What a provider supports together with what its chat makes possible."""
    return supports | _DIALECTS if Endpoint.CHAT in supports else supports


def speaking(provider: Provider, type_name: str, native: frozenset[Endpoint]) -> Provider:
    """The provider, with the dialects that are not in `native` over its chat."""
    dialects: dict[Endpoint, ChatDialect] = {}
    if Endpoint.RESPONSES not in native:
        dialects[Endpoint.RESPONSES] = ResponsesDialect(_RESPONSES.get(type_name, TRANSLATED))
    return ViaChat(provider, type_name, dialects) if dialects else provider

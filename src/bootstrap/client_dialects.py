"""Dialects of clients that a provider has not itself, spoken to its chat."""

from collections.abc import Mapping
from typing import Final

from adapters.outbound.providers.messages_via_chat.chat_flavour import TRANSLATED, ChatFlavour
from adapters.outbound.providers.messages_via_chat.dialect import MessagesDialect
from adapters.outbound.providers.messages_via_chat.token_count import CountingTokens
from adapters.outbound.providers.presets import PRESETS
from adapters.outbound.providers.via_chat import ChatDialect, ViaChat
from application.ports.provider import Provider
from domain.chat import Endpoint

_DIALECTS: Final = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS})

# What servers of OpenAI's dialect take beyond it, where that is known.
_NEW: Final = ChatFlavour(maximum="max_completion_tokens")
_FLAVOURS: Final[Mapping[str, ChatFlavour]] = {
    "openai": _NEW,
    "azure": _NEW,
    "groq": _NEW,
    "custom": ChatFlavour(top_k=True),
    "vllm": ChatFlavour(top_k=True),
    "openrouter": ChatFlavour(top_k=True, marks=True),
}


def with_dialects(supports: frozenset[Endpoint]) -> frozenset[Endpoint]:
    """What a provider supports together with what its chat makes possible."""
    return supports | _DIALECTS if Endpoint.CHAT in supports else supports


def speaking(provider: Provider, type_name: str, native: frozenset[Endpoint]) -> Provider:
    """The provider, with the dialects that are not in `native` over its chat."""
    dialects: dict[Endpoint, ChatDialect] = {}
    if Endpoint.MESSAGES not in native:
        usual = ChatFlavour() if type_name in PRESETS else TRANSLATED
        dialects[Endpoint.MESSAGES] = MessagesDialect(_FLAVOURS.get(type_name, usual))
    spoken = ViaChat(provider, type_name, dialects) if dialects else provider
    return spoken if Endpoint.COUNT_TOKENS in native else CountingTokens(spoken)

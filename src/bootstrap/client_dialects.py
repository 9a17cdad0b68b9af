"""Dialects of clients that a provider has not itself, spoken to its chat."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.chat_flavour import TRANSLATED, ChatFlavour
from adapters.outbound.providers.messages_via_chat.dialect import MessagesDialect
from adapters.outbound.providers.messages_via_chat.token_count import CountingTokens
from adapters.outbound.providers.presets import PRESETS
from adapters.outbound.providers.responses_via_chat.dialect import ResponsesDialect
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.outbound.providers.via_chat import ChatDialect, ViaChat, as_chat
from application.ports.provider import Call, Provider
from domain.chat import Endpoint

_DIALECTS: Final = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS, Endpoint.RESPONSES})

# What servers of OpenAI's dialect take beyond it. The others are this gateway's own translations.
_NEW: Final = ChatFlavour(maximum="max_completion_tokens", hints=True)
_FLAVOURS: Final[Mapping[str, ChatFlavour]] = {
    **dict.fromkeys(PRESETS, ChatFlavour()),
    "openai": _NEW,
    "azure": _NEW,
    "groq": ChatFlavour(maximum="max_completion_tokens"),
    "custom": ChatFlavour(top_k=True, hints=True),
    "vllm": ChatFlavour(top_k=True, reasoning=True, hints=True),
    "ollama": ChatFlavour(reasoning=True, hints=True),
    "openrouter": ChatFlavour(top_k=True, marks=True, reasoning=True, hints=True),
}


def with_dialects(capabilities: Capabilities) -> Capabilities:
    """What a provider can do together with what its chat makes possible."""
    if Endpoint.CHAT not in capabilities.supports:
        return capabilities
    return replace(capabilities, translated=capabilities.translated | (_DIALECTS - capabilities.native))


def speaking(provider: Provider, type_name: str, native: frozenset[Endpoint]) -> Provider:
    """The provider, with the dialects that are not in `native` over its chat."""
    flavour = _FLAVOURS.get(type_name, TRANSLATED)
    dialects: dict[Endpoint, ChatDialect] = {}
    if Endpoint.MESSAGES not in native:
        dialects[Endpoint.MESSAGES] = MessagesDialect(flavour)
    if Endpoint.RESPONSES not in native:
        dialects[Endpoint.RESPONSES] = ResponsesDialect(flavour)
    spoken = ViaChat(provider, type_name, dialects) if dialects else provider
    if Endpoint.COUNT_TOKENS in native:
        return spoken
    messages = dialects.get(Endpoint.MESSAGES)
    if not isinstance(provider, TranslatedProvider) or messages is None:
        return CountingTokens(spoken)

    async def count(call: Call) -> int | None:
        return await provider.prompt_tokens(as_chat(call, messages, type_name))

    return CountingTokens(spoken, count)

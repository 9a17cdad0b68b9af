"""Google's `usageMetadata`."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_documents import usage_document
from domain.chat import Usage

_MAX_TOKENS: Final = 2**53


def usage_of(told: object) -> Usage | None:
    """Thoughts are output, and what tools brought in is input; None where it is missing or can't be believed."""
    if not isinstance(told, Mapping):
        return None
    prompt = _tokens(told.get("promptTokenCount"))
    if prompt is None:
        return None
    used = prompt + (_tokens(told.get("toolUsePromptTokenCount")) or 0)
    output = (_tokens(told.get("candidatesTokenCount")) or 0) + (_tokens(told.get("thoughtsTokenCount")) or 0)
    cached = _tokens(told.get("cachedContentTokenCount")) or 0
    return Usage(used, output, cached if cached <= used else 0)


def usage_shown(usage: Usage, told: Mapping[str, Any]) -> dict[str, object]:
    """As OpenAI writes it."""
    return usage_document(usage, reasoning_tokens=_tokens(told.get("thoughtsTokenCount")))


def _tokens(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_TOKENS else None

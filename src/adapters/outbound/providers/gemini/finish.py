"""Why a candidate ended."""

from types import MappingProxyType
from typing import Final

from adapters.outbound.providers.failures import broken_reply
from domain.failure import ProviderFailed

_REASONS: Final = MappingProxyType(
    {
        "STOP": "stop",
        "MAX_TOKENS": "length",
        "CONTINUATION": "length",
        "SAFETY": "content_filter",
        "RECITATION": "content_filter",
        "LANGUAGE": "content_filter",
        "BLOCKLIST": "content_filter",
        "PROHIBITED_CONTENT": "content_filter",
        "SPII": "content_filter",
        "MODEL_ARMOR": "content_filter",
        "IMAGE_SAFETY": "content_filter",
        "IMAGE_PROHIBITED_CONTENT": "content_filter",
        "IMAGE_RECITATION": "content_filter",
        "IMAGE_OTHER": "content_filter",
        "OTHER": "content_filter",
        "ESCALATION": "content_filter",
    }
)
# What the model made is no answer that anyone could use; another attempt may bring one.
_BROKEN: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    }
)
_NOT_FINISHED: Final = frozenset({None, "", "FINISH_REASON_UNSPECIFIED"})


def is_finished(reason: object) -> bool:
    """Whether a candidate with this reason has ended."""
    return reason not in _NOT_FINISHED if isinstance(reason, str) else False


def finish_reason(reason: str, *, called: bool) -> str:
    """In OpenAI's words. `called`: tools were called, which Google calls STOP. One that is not known is STOP.

    Raises:
        ProviderFailed: The model's output can't be used.
    """
    if reason in _BROKEN:
        raise ProviderFailed(broken_reply(f"the provider's model ended its answer with {reason}"))
    finish = _REASONS.get(reason, "stop")
    return "tool_calls" if called and finish == "stop" else finish

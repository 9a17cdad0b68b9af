"""A Messages request in words of chat.

Sources: Anthropic's API reference ("Messages", "Tool use", "Extended thinking", "Structured outputs", "Effort");
OpenAI's for the fields of a chat completion.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.messages_via_chat.content import Parts
from adapters.outbound.providers.messages_via_chat.conversation import Conversation
from adapters.outbound.providers.messages_via_chat.tools import tool_fields

Fields = Mapping[str, Any]

_TRANSLATED: Final = frozenset(
    {
        *("model", "messages", "system", "max_tokens", "stream", "stop_sequences", "temperature", "top_p"),
        *("tools", "tool_choice", "thinking", "output_config", "output_format", "metadata"),
    }
)
# They say how a request is carried, billed or filed, and change nothing of its answer.
_HARMLESS: Final = frozenset({"cache_control", "service_tier", "diagnostics", "user_profile_id", "workspace_id"})
_DEFAULTS: Final = (("inference_geo", "global"), ("speed", "standard"))
_SAME: Final = ("temperature", "top_p")
_OUTPUT: Final = frozenset({"effort", "format"})

# Longer names of users are refused by OpenAI and others; Anthropic takes 256 characters, and its own clients use them.
_LONGEST_USER: Final = 64

# Anthropic's highest has another name in OpenAI's words; the others are called alike.
_EFFORTS: Final[Mapping[str, str]] = MappingProxyType({"max": "xhigh"})
# Up to so many tokens of thought is that much effort: OpenAI has words where Anthropic had numbers.
_LOW_TOKENS: Final = 4_096
_MEDIUM_TOKENS: Final = 16_384


def chat_fields(fields: Fields, flavour: ChatFlavour, provider: str, *, drop_params: bool) -> dict[str, object]:
    """The fields of the chat request, but for `model` and `stream`.

    Raises:
        ProviderFailed: UNSUPPORTED, naming a field that chat cannot express. What is said is never dropped, options are
            with `drop_params`.
    """
    parts = Parts(flavour, provider)
    if not drop_params:
        _refuse_unknown(fields, flavour, parts)
    conversation = Conversation(flavour, provider)
    told: dict[str, object] = {"messages": conversation.messages(fields.get("system"), fields.get("messages"))}
    if fields.get("max_tokens") is not None:
        told[flavour.maximum] = fields["max_tokens"]
    told |= {name: fields[name] for name in _SAME if fields.get(name) is not None}
    if flavour.top_k and fields.get("top_k") is not None:
        told["top_k"] = fields["top_k"]
    if fields.get("stop_sequences"):
        told["stop"] = fields["stop_sequences"]
    match fields.get("metadata"):
        case {"user_id": str(user)} if user:
            told["user"] = (
                user if len(user) <= _LONGEST_USER else sha256(user.encode(errors="surrogatepass")).hexdigest()
            )
    told |= tool_fields(fields, parts, drop_params=drop_params)
    return told | _thinking(fields, parts, drop_params=drop_params) | _format(fields, parts, drop_params=drop_params)


def _refuse_unknown(fields: Fields, flavour: ChatFlavour, parts: Parts) -> None:
    for name, value in fields.items():
        if name in _TRANSLATED or name in _HARMLESS or (name == "top_k" and flavour.top_k):
            continue
        if name == "context_management" and _only_clears_thoughts(value):
            continue
        if value is not None and value is not False and value not in ([], {}, "") and (name, value) not in _DEFAULTS:
            raise parts.has_no(name)


def _only_clears_thoughts(value: object) -> bool:
    """Which of its earlier thoughts a model sees again is its provider's own affair in a chat."""
    edits = value.get("edits") if isinstance(value, dict) else None
    return isinstance(edits, list) and all(
        isinstance(edit, dict) and str(edit.get("type")).startswith("clear_thinking_") for edit in edits
    )


def _thinking(fields: Fields, parts: Parts, *, drop_params: bool) -> dict[str, object]:
    """How much to think. A model that is not asked decides itself, as in Anthropic's adaptive thinking."""
    output, thinking = fields.get("output_config") or {}, fields.get("thinking") or {}
    if isinstance(effort := output.get("effort"), str):
        return {"reasoning_effort": _EFFORTS.get(effort, effort)}
    match thinking:
        case {"type": "enabled", "budget_tokens": int(budget)}:
            return {"reasoning_effort": _effort(budget)}
        case {} if not thinking or thinking.get("type") in ("adaptive", "disabled") or drop_params:
            return {}
        case _:
            raise parts.has_no(f"thinking.type {thinking.get('type')!r}")


def _effort(budget_tokens: int) -> str:
    if budget_tokens <= _LOW_TOKENS:
        return "low"
    return "medium" if budget_tokens <= _MEDIUM_TOKENS else "high"


def _format(fields: Fields, parts: Parts, *, drop_params: bool) -> dict[str, object]:
    output = fields.get("output_config") or {}
    if not drop_params:
        for name, value in output.items():
            if name not in _OUTPUT and value is not None:
                raise parts.has_no(f"output_config.{name}")
    match output.get("format") or fields.get("output_format"):
        case None:
            return {}
        case {"type": "json_schema", "schema": dict(schema)}:
            named = {"name": "answer", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case _ if drop_params:
            return {}
        case _:
            raise parts.has_no("output_config.format")

"""A Responses request in words of chat."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.failures import unsupported
from adapters.outbound.providers.responses_via_chat.input_items import messages_of, not_in_chat, refused
from adapters.outbound.providers.responses_via_chat.tools import tool_fields
from domain.failure import Failure, FailureKind, ProviderFailed

Fields = Mapping[str, Any]

# Without what these refer to, the request would be another one: they can't be dropped.
_STATEFUL: Final[Mapping[str, str]] = {
    "previous_response_id": "send the whole conversation in 'input'",
    "conversation": "send the whole conversation in 'input'",
    "background": "wait for the response, or stream it",
    "prompt": "send the text itself in 'instructions' and 'input'",
}
_SAME: Final = ("temperature", "top_p", "user", "service_tier")
_HINTS: Final = ("prompt_cache_key", "safety_identifier")
# They say how the response is carried, filed or cached, or concern tools that are refused themselves. The maximum is
# sent along by the provider's adapter, under the name that it has there.
_HARMLESS: Final = frozenset(
    {
        "client_metadata",
        "model",
        "stream",
        "stream_options",
        "store",
        "metadata",
        "max_output_tokens",
        "max_tool_calls",
        "prompt_cache_options",
        "prompt_cache_retention",
    }
)
_TRANSLATED: Final = frozenset(
    {
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "text",
        "reasoning",
        "include",
        "top_logprobs",
        "truncation",
    }
)
_KNOWN: Final = _HARMLESS | _TRANSLATED | {*_SAME, *_HINTS, *_STATEFUL}
_LOGPROBS: Final = "message.output_text.logprobs"
# What is there comes unasked, or belongs to tools that are refused themselves.
_INCLUDED: Final = (
    _LOGPROBS,
    "reasoning.encrypted_content",
    "message.input_image.image_url",
    "web_search_call.action.sources",
    "web_search_call.results",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
)


def chat_fields(fields: Fields, provider: str, flavour: ChatFlavour, *, drop_params: bool) -> dict[str, object]:
    """The chat request that asks for the same.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field.
    """
    for name, instead in _STATEFUL.items():
        if fields.get(name):
            raise _stateless(name, provider, instead)
    if not drop_params:
        for name, value in fields.items():
            if name not in _KNOWN and value not in (None, False, "", [], {}):
                raise unsupported(name, provider)
    messages = messages_of(fields.get("input"), provider, flavour)
    if fields.get("instructions"):
        messages.insert(0, {"role": "system", "content": _instructions(fields["instructions"])})
    asked: dict[str, object] = {"messages": messages}
    asked |= {name: fields[name] for name in _SAME if fields.get(name) is not None}
    if flavour.hints:
        asked |= {name: fields[name] for name in _HINTS if fields.get(name) is not None}
    asked |= tool_fields(fields, provider, drop_params=drop_params)
    for part in (_text(fields, provider, drop_params=drop_params), _reasoning(fields), _logprobs(fields, provider)):
        asked |= part
    if fields.get("truncation") not in (None, "disabled") and not drop_params:
        raise unsupported("truncation", provider)
    return asked


def _stateless(name: str, provider: str, instead: str) -> ProviderFailed:
    message = f"{provider} keeps no responses, so that {name!r} can't be honoured: {instead}"
    return ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param=name))


def _instructions(given: object) -> str:
    if not isinstance(given, str):
        raise refused("instructions", "expected a string")
    return given


def _text(fields: Fields, provider: str, *, drop_params: bool) -> dict[str, object]:
    text = _object(fields, "text")
    asked: dict[str, object] = {}
    if text.get("verbosity"):
        asked["verbosity"] = text["verbosity"]
    match text.get("format"):
        case None | {"type": "text"}:
            pass
        case {"type": "json_object"}:
            asked["response_format"] = {"type": "json_object"}
        case {"type": "json_schema", **schema}:
            kept = {name: value for name, value in schema.items() if value is not None}
            asked["response_format"] = {"type": "json_schema", "json_schema": kept}
        case _ if not drop_params:
            raise unsupported("text.format", provider)
    return asked


def _reasoning(fields: Fields) -> dict[str, object]:
    # What the provider tells of its reasoning is shown, whatever kind of summary was wished for.
    effort = _object(fields, "reasoning").get("effort")
    return {} if effort is None else {"reasoning_effort": effort}


def _logprobs(fields: Fields, provider: str) -> dict[str, object]:
    include = fields.get("include") or ()
    if not isinstance(include, list | tuple):
        raise refused("include", "expected a list of strings")
    for name in include:
        if name not in _INCLUDED:
            raise not_in_chat("include", name, provider)
    most = fields.get("top_logprobs")
    if _LOGPROBS not in include and not most:
        return {}
    return {"logprobs": True} if most is None else {"logprobs": True, "top_logprobs": most}


def _object(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused(name, "expected an object")
    return value

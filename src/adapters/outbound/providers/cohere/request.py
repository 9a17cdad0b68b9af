"""Chat requests as Cohere's `/v2/chat` wants them.

Sources: Cohere's API reference, "Chat" (v2), and its guides "Structured outputs" and "Reasoning".
"""

from collections.abc import Sequence

from adapters.outbound.providers.cohere.messages import message
from adapters.outbound.providers.cohere.words import EFFORTS, NAME, OWN, RENAMED, SAME
from adapters.outbound.providers.dialect import Asked, Fields
from adapters.outbound.providers.failures import unsupported


def chat_fields(asked: Asked) -> dict[str, object]:
    """The body of a request for a chat.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what Cohere can't honour.
    """
    fields = asked.fields
    body: dict[str, object] = {
        "model": asked.model,
        "messages": [message(each) for each in fields.get("messages") or ()],
        "stream": asked.stream,
    }
    if asked.max_tokens is not None:
        body["max_tokens"] = asked.max_tokens
    body |= {name: fields[name] for name in (*SAME, *OWN) if name in fields}
    body |= {own: fields[name] for name, own in RENAMED.items() if name in fields}
    if "stop" in fields:
        stop = fields["stop"]
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    body |= _tools(fields, drop_params=asked.drop_params)
    body |= _response_format(fields.get("response_format"), drop_params=asked.drop_params)
    body |= _logprobs(fields)
    return body | _thinking(fields, drop_params=asked.drop_params)


def _tools(fields: Fields, *, drop_params: bool) -> dict[str, object]:
    given = [_function(tool) for tool in fields.get("tools") or ()]
    choice, functions = _tool_choice(fields.get("tool_choice"), given, drop_params=drop_params)
    body: dict[str, object] = {}
    if functions:
        body["tools"] = [{"type": "function", "function": _definition(function)} for function in functions]
    if any(function.get("strict") for function in functions):
        body["strict_tools"] = True
    if choice is not None:
        body["tool_choice"] = choice
    return body


def _function(tool: object) -> Fields:
    match tool:
        case {"type": "function", "function": dict(function)}:
            return function
        case _:
            raise unsupported("tools[].type", NAME)


def _definition(function: Fields) -> dict[str, object]:
    definition = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    return definition | {"parameters": function.get("parameters") or {"type": "object", "properties": {}}}


def _tool_choice(choice: object, functions: list[Fields], *, drop_params: bool) -> tuple[str | None, Sequence[Fields]]:
    """Cohere's choice, and the tools to choose from: one that must be called is the only one that it is shown."""
    match choice:
        case None | "auto":
            return None, functions
        case "none":
            return "NONE", functions
        case "required":
            return "REQUIRED", functions
        case {"type": "function", "function": {"name": str(name)}}:
            return "REQUIRED", _named(functions, [name])
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}:
            names = [_function(tool).get("name") for tool in tools]
            return "REQUIRED" if mode == "required" else None, _named(functions, names)
        case _ if drop_params:
            return None, functions
        case _:
            raise unsupported("tool_choice", NAME)


def _named(functions: list[Fields], names: Sequence[object]) -> Sequence[Fields]:
    kept = [function for function in functions if function.get("name") in names]
    if not kept:
        raise unsupported("tool_choice", NAME)
    return kept


def _response_format(wanted: object, *, drop_params: bool) -> dict[str, object]:
    match wanted:
        case None | {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"response_format": {"type": "json_object"}}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"response_format": {"type": "json_object", "json_schema": schema}}
        case _ if drop_params:
            return {}
        case _:
            raise unsupported("response_format", NAME)


def _logprobs(fields: Fields) -> dict[str, object]:
    return {"logprobs": True} if fields.get("logprobs") else {}


def _thinking(fields: Fields, *, drop_params: bool) -> dict[str, object]:
    """Cohere's own `thinking` wins over an effort; one with Anthropic's name for the budget is understood, too."""
    match fields.get("thinking"):
        case {"type": "disabled"}:
            return {"thinking": {"type": "disabled"}}
        case {"type": str(kind), **rest}:
            budget = rest.get("token_budget", rest.get("budget_tokens"))
            return {"thinking": {"type": kind} if budget is None else {"type": kind, "token_budget": budget}}
    effort = fields.get("reasoning_effort")
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if not isinstance(effort, str) or effort not in EFFORTS:
        if drop_params:
            return {}
        raise unsupported("reasoning_effort", NAME)
    budget = EFFORTS[effort]
    return {"thinking": {"type": "enabled"} if budget is None else {"type": "enabled", "token_budget": budget}}

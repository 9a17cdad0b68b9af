"""Functions, and which of them is to be called."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.failures import unsupported
from adapters.outbound.providers.responses_via_chat.input_items import not_in_chat, refused

Fields = Mapping[str, Any]

_FUNCTION: Final = ("name", "description", "parameters", "strict")
_KNOWN: Final = frozenset({"type", *_FUNCTION})


def tool_fields(fields: Fields, provider: str, *, drop_params: bool) -> dict[str, object]:
    """`tools`, `tool_choice` and `parallel_tool_calls` of chat.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what is no function of the client's own.
    """
    tools = []
    for index, tool in enumerate(fields.get("tools") or ()):
        if tool.get("type") != "function":
            if not drop_params:
                raise not_in_chat(f"tools[{index}].type", tool.get("type"), provider)
            continue
        tools.append(_function(tool, index, provider, drop_params=drop_params))
    choice = fields.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        tools, choice = _allowed(tools, choice, provider)
    asked: dict[str, object] = {"tools": tools} if tools else {}
    # Servers refuse a choice where there is nothing to choose from, even that between nothing and none.
    if choice is not None and (tools or not (fields.get("tools") or choice in ("auto", "none"))):
        asked["tool_choice"] = _choice(choice, provider)
    if tools and fields.get("parallel_tool_calls") is not None:
        asked["parallel_tool_calls"] = fields["parallel_tool_calls"]
    return asked


def _function(tool: Fields, index: int, provider: str, *, drop_params: bool) -> Fields:
    more = next((name for name, value in tool.items() if name not in _KNOWN and value), None)
    if more is not None and not drop_params:
        raise unsupported(f"tools[{index}].{more}", provider)
    function = {name: tool[name] for name in _FUNCTION if tool.get(name) is not None}
    return {"type": "function", "function": function}


def _allowed(tools: list[Fields], choice: Fields, provider: str) -> tuple[list[Fields], object]:
    """The tools that are allowed, and how: whoever does not see the others can't call them."""
    allowed = choice.get("tools")
    if not isinstance(allowed, list):
        raise refused("tool_choice.tools", "expected a list of tools")
    for tool in allowed:
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise unsupported("tool_choice.tools", provider)
    names = [tool.get("name") for tool in allowed]
    return [tool for tool in tools if tool["function"].get("name") in names], choice.get("mode") or "auto"


def _choice(choice: object, provider: str) -> object:
    match choice:
        case "auto" | "none" | "required":
            return choice
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case _:
            raise unsupported("tool_choice", provider)

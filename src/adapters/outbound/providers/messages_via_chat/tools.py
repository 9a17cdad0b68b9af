"""Tools and the choice of them, as a chat wants them."""

from typing import Any, Final

from adapters.outbound.providers.messages_via_chat.content import Block, Parts, refused

_KNOWN: Final = frozenset({"name", "description", "input_schema", "strict", "type", "cache_control"})
_HARMLESS: Final = frozenset({"eager_input_streaming"})


def tool_fields(fields: Block, parts: Parts, *, drop_params: bool) -> dict[str, Any]:
    """`tools`, `tool_choice` and `parallel_tool_calls`.

    Raises:
        ProviderFailed: UNSUPPORTED: a tool that the provider would have to run itself, or an option of one.
    """
    tools = [_tool(tool, parts, drop_params=drop_params) for tool in fields.get("tools") or ()]
    told: dict[str, Any] = {}
    if kept := [tool for tool in tools if tool is not None]:
        told["tools"] = kept
    choice = fields.get("tool_choice")
    # Servers refuse a choice where there is nothing to choose from, even that between nothing and none.
    if choice is None or (not kept and (tools or choice.get("type") in ("auto", "none"))):
        return told
    told["tool_choice"] = _choice(choice, parts)
    if kept and choice.get("disable_parallel_tool_use"):
        told["parallel_tool_calls"] = False
    return told


def _tool(tool: Block, parts: Parts, *, drop_params: bool) -> dict[str, Any] | None:
    if tool.get("type") not in (None, "custom"):
        if drop_params:
            return None
        raise parts.has_no(f"tools[].type {tool['type']!r}")
    if not isinstance(tool.get("name"), str):
        raise refused("expected each tool to have a name", "tools[].name")
    if not drop_params:
        _refuse_options(tool, parts)
    function = {"name": tool["name"], "parameters": tool.get("input_schema") or {"type": "object", "properties": {}}}
    if tool.get("description"):
        function["description"] = tool["description"]
    if tool.get("strict"):
        function["strict"] = True
    return parts.marked({"type": "function", "function": function}, tool)


def _refuse_options(tool: Block, parts: Parts) -> None:
    for name, value in tool.items():
        asks_nothing = not value or (name, value) == ("allowed_callers", ["direct"])
        if name not in _KNOWN and name not in _HARMLESS and not asks_nothing:
            raise parts.has_no(f"tools[].{name}")


def _choice(choice: Block, parts: Parts) -> object:
    match choice:
        case {"type": "auto" | "none" as kind}:
            return kind
        case {"type": "any"}:
            return "required"
        case {"type": "tool", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case _:
            raise parts.has_no("tool_choice")

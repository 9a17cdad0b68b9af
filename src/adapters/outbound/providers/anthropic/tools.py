"""Tools and the choice of them, as Anthropic wants them."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.anthropic.content import NAME, Block, marked, refused
from adapters.outbound.providers.dialect import Fields
from adapters.outbound.providers.failures import unsupported

_ANY_OBJECT: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}


def tool_fields(fields: Fields) -> dict[str, Any]:
    """`tools` and `tool_choice`; the latter only where the client said anything of it.

    Raises:
        ProviderFailed: UNSUPPORTED: a tool is no function. REQUEST_REFUSED: a tool is demanded and there is none.
    """
    tools = [_tool(tool) for tool in fields.get("tools") or ()]
    choice = _choice(fields.get("tool_choice"))
    if not tools:
        if choice is not None and choice["type"] in {"any", "tool"}:
            raise refused("expected 'tools' beside a 'tool_choice' that demands one", "tool_choice")
        return {}
    if fields.get("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    return {"tools": tools} if choice is None else {"tools": tools, "tool_choice": choice}


def _tool(tool: Fields) -> Block:
    match tool:
        case {"type": "function", "function": {"name": str(name), **rest}}:
            block: Block = {"name": name, "input_schema": rest.get("parameters") or dict(_ANY_OBJECT)}
        case {"type": "function"}:
            raise refused("expected each tool to have a function with a name", "tools[].function")
        case _:
            raise unsupported("tools[].type", NAME)
    if rest.get("description"):
        block["description"] = rest["description"]
    if rest.get("strict"):
        block["strict"] = True
    return marked(block, tool)


def _choice(choice: object) -> Block | None:
    match choice:
        case None:
            return None
        case "auto" | "none":
            return {"type": choice}
        case "required":
            return {"type": "any"}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case _:
            raise unsupported("tool_choice", NAME)

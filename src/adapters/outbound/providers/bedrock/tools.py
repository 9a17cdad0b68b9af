"""The tools of a chat request as Converse's `toolConfig`."""

from typing import Any

from adapters.outbound.providers.bedrock.content import Block, ContentBlocks, Fields
from adapters.outbound.providers.bedrock.models import NAME, Maker
from adapters.outbound.providers.failures import unsupported


def tool_config(fields: Fields, maker: Maker, *, has_calls: bool, drop_params: bool) -> dict[str, Any] | None:
    """The tools and the choice among them; None where there are none to choose from.

    `has_calls`: the conversation holds tool calls or results, which Bedrock takes beside their tools alone.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what can't be honoured.
    """
    tools = fields.get("tools")
    if not tools:
        return None
    choice = fields.get("tool_choice", "auto")
    if choice == "none":
        # Converse knows no such choice: what comes next to it is to show no tools, where none was called yet.
        if not drop_params:
            raise unsupported("tool_choice", NAME)
        if not has_calls:
            return None
        choice = "auto"
    # Nova keeps no tools in its cache.
    points = ContentBlocks(caches=maker in {Maker.CLAUDE, Maker.OPAQUE})
    written = [block for tool in tools for block in (_tool(tool), *points.cache_point(tool))]
    return {"tools": written, "toolChoice": _choice(choice)}


def _tool(tool: Fields) -> Block:
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, dict):
        raise unsupported("tools", NAME)
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    written: Block = {"name": function.get("name"), "inputSchema": {"json": schema}}
    if function.get("description"):
        written["description"] = function["description"]
    if function.get("strict"):
        written["strict"] = True
    return {"toolSpec": written}


def _choice(choice: object) -> Block:
    match choice:
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"tool": {"name": name}}
        case _:
            raise unsupported("tool_choice", NAME)

"""What clients ask for, what the provider must hear of it, and what it says then."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.wires.wire import Heard, Said, ToolCall

PIXEL: Final = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
PICTURE_URL: Final = "https://pictures.example/cat.png"
ASK: Final = "What's the weather in Zürich? ☀️"
SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
ZURICH: Final = ToolCall("call_Zurich1", "get_weather", {"city": "Zürich", "days": 2})
BERN: Final = ToolCall("call_Bern2", "get_weather", {"city": "Bern", "days": 1})
HOUR: Final = ToolCall("call_Hour3", "get_hour", {})
SUNNY: Final = Said(text="It's sunny in Zürich: 24 °C. 🌞")


@dataclass(frozen=True, slots=True)
class Scene:
    """One cell of the matrix, for every wire.

    Attributes:
        asked: Fields of the request beside `model` and `stream`.
        heard: What the provider must understand of it; None as its maximum means that any will do.
    """

    name: str
    asked: dict[str, Any]
    heard: Heard
    said: Said = SUNNY


def _user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts) if parts else ASK}


def _tool(name: str, parameters: dict[str, object]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "Looks.", "parameters": parameters}}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}


def _picture(url: str) -> dict[str, Any]:
    return _user({"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}})


def _asking(name: str, said: Said = SUNNY, *, heard: Heard | None = None, **fields: object) -> Scene:
    """One question with these fields beside it."""
    return Scene(name, {"messages": [_user()], **fields}, heard or ASKED, said)


def _choosing(name: str, choice: object, heard: str, said: Said) -> Scene:
    fields = {"tools": TOOLS, "tool_choice": choice}
    return _asking(name, said, heard=replace(WITH_TOOLS, tool_choice=heard), **fields)


ASKED: Final = Heard(model="", stream=False, turns=(("user", ASK),))
WITH_TOOLS: Final = replace(ASKED, tools=("get_weather", "get_hour"))
TOOLS: Final = [_tool("get_weather", SCHEMA), _tool("get_hour", {"type": "object", "properties": {}})]
ONE_CALL: Final = Said(calls=(ZURICH,), finish="tool_calls")
PARALLEL: Final = Said(text="I look.", calls=(ZURICH, BERN, HOUR), finish="tool_calls")
CITY: Final = Said(text='{"city":"Zürich","days":2}')

CHAT: Final = Scene(
    "chat",
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            _user(),
            {"role": "assistant", "content": "Now?"},
            _user({"type": "text", "text": "Yes, "}, {"type": "text", "text": "now."}),
        ],
        "temperature": 0.5,
    },
    replace(
        ASKED,
        system="Be brief.",
        turns=(("user", ASK), ("assistant", "Now?"), ("user", "Yes, now.")),
        temperature=0.5,
    ),
)
DEVELOPER: Final = Scene(
    "developer",
    {"messages": [{"role": "developer", "content": "Be kind."}, _user()]},
    replace(ASKED, system="Be kind."),
)
TOOL_RESULTS: Final = Scene(
    "tool_results",
    {
        "messages": [
            _user(),
            {"role": "assistant", "content": "I look.", "tool_calls": [_call(ZURICH), _call(HOUR)]},
            {"role": "tool", "tool_call_id": ZURICH.id, "content": "24 °C"},
            {"role": "tool", "tool_call_id": HOUR.id, "content": "noon"},
            {"role": "user", "content": "And?"},
        ],
        "tools": TOOLS,
    },
    replace(
        WITH_TOOLS,
        turns=(("user", ASK), ("assistant", "I look."), ("user", "And?")),
        calls=(ZURICH, HOUR),
        results=((ZURICH.id, "24 °C"), (HOUR.id, "noon")),
    ),
)
_SHOWN: Final = (("user", "What is it?"),)

SCENES: Final = (
    CHAT,
    DEVELOPER,
    _asking("tools", ONE_CALL, heard=WITH_TOOLS, tools=TOOLS),
    _choosing("tool_choice_auto", "auto", "auto", ONE_CALL),
    _choosing("tool_choice_required", "required", "required", ONE_CALL),
    _choosing("tool_choice_none", "none", "none", SUNNY),
    _choosing("tool_choice_named", {"type": "function", "function": {"name": "get_weather"}}, "get_weather", ONE_CALL),
    TOOL_RESULTS,
    _asking("parallel_tools", PARALLEL, heard=WITH_TOOLS, tools=TOOLS),
    Scene("image_url", {"messages": [_picture(PICTURE_URL)]}, replace(ASKED, turns=_SHOWN, images=(PICTURE_URL,))),
    Scene("image_base64", {"messages": [_picture(PIXEL)]}, replace(ASKED, turns=_SHOWN, images=(PIXEL,))),
    _asking(
        "json_schema",
        CITY,
        heard=replace(ASKED, schema=SCHEMA),
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}},
    ),
    _asking(
        "stop",
        replace(SUNNY, finish="stop_sequence", stop_sequence="END"),
        heard=replace(ASKED, stop=("END", "###")),
        stop=["END", "###"],
    ),
    _asking("stop_string", heard=replace(ASKED, stop=("END",)), stop="END"),
    _asking("max_tokens", replace(SUNNY, finish="length"), heard=replace(ASKED, max_tokens=16), max_tokens=16),
    _asking(
        "max_completion_tokens",
        replace(SUNNY, finish="length"),
        heard=replace(ASKED, max_tokens=16),
        max_completion_tokens=16,
    ),
    _asking("content_filter", replace(SUNNY, finish="content_filter")),
    _asking("usage", replace(SUNNY, input_tokens=1200, output_tokens=34, cached_tokens=1024)),
    _asking("reasoning", replace(SUNNY, reasoning="Zürich is a city. 🤔 Let me think.")),
)

"""The scenes of the matrix as clients of responses write them; the provider must hear the same, and says the same.

Source: OpenAI, API reference, "Responses", and the guides to function calling, images and structured outputs.
"""

import json
from dataclasses import replace
from typing import Any, Final

from tests.e2e.matrix import scenes
from tests.e2e.matrix.scenes import ASK, HOUR, ONE_CALL, PARALLEL, PICTURE_URL, PIXEL, SCHEMA, SUNNY, ZURICH, Scene
from tests.wires.wire import Heard, Said, ToolCall

EMPTY: Final = {"type": "object", "properties": {}}
TOOLS: Final = [
    {"type": "function", "name": "get_weather", "description": "Looks.", "parameters": SCHEMA, "strict": False},
    {"type": "function", "name": "get_hour", "description": "Looks.", "parameters": EMPTY, "strict": False},
]


def _asking(name: str, said: Said = SUNNY, *, heard: Heard = scenes.ASKED, **fields: Any) -> Scene:
    return Scene(name, {"input": ASK, **fields}, heard, said)


def _choosing(name: str, choice: object, heard: str, said: Said) -> Scene:
    told = replace(scenes.WITH_TOOLS, tool_choice=heard)
    return _asking(name, said, heard=told, tools=TOOLS, tool_choice=choice)


def _picture(name: str, image: str) -> Scene:
    content = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": image}]
    heard = replace(scenes.ASKED, turns=(("user", "What is it?"),), images=(image,))
    return _asking(name, heard=heard, input=[{"role": "user", "content": content}])


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments)
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}


def _result(call: ToolCall, output: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call.id, "output": output}


_CHAT: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": ASK},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Now?", "annotations": []}]},
    {"role": "user", "content": [{"type": "input_text", "text": "Yes, "}, {"type": "input_text", "text": "now."}]},
]
_CONVERSATION: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": ASK},
    {"role": "assistant", "content": "I look."},
    _call(ZURICH),
    _call(HOUR),
    _result(ZURICH, "24 °C"),
    _result(HOUR, "noon"),
    {"role": "user", "content": "And?"},
]

SCENES: Final = (
    _asking("chat", heard=scenes.CHAT.heard, input=_CHAT, instructions="Be brief.", temperature=0.5),
    _asking(
        "developer",
        heard=scenes.DEVELOPER.heard,
        input=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": ASK}],
    ),
    _asking("tools", ONE_CALL, heard=scenes.WITH_TOOLS, tools=TOOLS),
    _choosing("tool_choice_required", "required", "required", ONE_CALL),
    _choosing("tool_choice_none", "none", "none", SUNNY),
    _choosing("tool_choice_named", {"type": "function", "name": "get_weather"}, "get_weather", ONE_CALL),
    _asking("tool_results", heard=scenes.TOOL_RESULTS.heard, input=_CONVERSATION, tools=TOOLS),
    _asking("parallel_tools", PARALLEL, heard=scenes.WITH_TOOLS, tools=TOOLS),
    _picture("image_url", PICTURE_URL),
    _picture("image_base64", PIXEL),
    _asking(
        "json_schema",
        scenes.CITY,
        heard=replace(scenes.ASKED, schema=SCHEMA),
        text={"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}},
    ),
    _asking(
        "max_tokens",
        replace(SUNNY, finish="length"),
        heard=replace(scenes.ASKED, max_tokens=16),
        max_output_tokens=16,
    ),
    _asking("content_filter", replace(SUNNY, finish="content_filter")),
    _asking("usage", replace(SUNNY, input_tokens=1200, output_tokens=34, cached_tokens=1024)),
    _asking("reasoning", replace(SUNNY, reasoning="Zürich is a city. 🤔 Let me think.")),
)

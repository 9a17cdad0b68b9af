"""The scenes of the matrix as Anthropic's clients write them; the provider must hear the same, and says the same.

Source: Anthropic, API reference, "Messages", and the guides to tool use, vision, structured outputs and stop reasons.
"""

from dataclasses import replace
from typing import Any, Final

from tests.e2e.matrix import scenes
from tests.e2e.matrix.scenes import ASK, HOUR, ONE_CALL, PARALLEL, PICTURE_URL, PIXEL, SCHEMA, SUNNY, ZURICH, Scene
from tests.wires.wire import Heard, Said, ToolCall

MAX_TOKENS: Final = 64
TOOLS: Final = [
    {"name": "get_weather", "description": "Looks.", "input_schema": SCHEMA},
    {"name": "get_hour", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}},
]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _use(call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}


def _result(call: ToolCall, content: object) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call.id, "content": content}


def _scene(name: str, messages: list[dict[str, Any]], heard: Heard, said: Said = SUNNY, **fields: Any) -> Scene:
    """A maximum is mandatory here, so that the provider must hear one."""
    asked = {"max_tokens": MAX_TOKENS, "messages": messages, **fields}
    return Scene(name, asked, replace(heard, max_tokens=asked["max_tokens"]), said)


def _asking(name: str, said: Said = SUNNY, *, heard: Heard = scenes.ASKED, **fields: Any) -> Scene:
    return _scene(name, [{"role": "user", "content": ASK}], heard, said, **fields)


def _choosing(name: str, choice: dict[str, str], heard: str, said: Said) -> Scene:
    told = replace(scenes.WITH_TOOLS, tool_choice=heard)
    return _asking(name, said, heard=told, tools=TOOLS, tool_choice=choice)


def _picture(name: str, source: dict[str, str], image: str) -> Scene:
    content = [_text("What is it?"), {"type": "image", "source": source}]
    heard = replace(scenes.ASKED, turns=(("user", "What is it?"),), images=(image,))
    return _scene(name, [{"role": "user", "content": content}], heard)


_CONVERSATION: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": ASK},
    {"role": "assistant", "content": [_text("I look."), _use(ZURICH), _use(HOUR)]},
    {"role": "user", "content": [_result(ZURICH, "24 °C"), _result(HOUR, [_text("noon")]), _text("And?")]},
]
_PIXEL_SOURCE: Final = {"type": "base64", "media_type": "image/png", "data": PIXEL.rpartition(",")[2]}

SCENES: Final = (
    _scene(
        "chat",
        [
            {"role": "user", "content": ASK},
            {"role": "assistant", "content": "Now?"},
            {"role": "user", "content": [_text("Yes, "), _text("now.")]},
        ],
        scenes.CHAT.heard,
        system="Be brief.",
        extra_body={"temperature": 0.5},  # the client knows no temperature any more; the API does
    ),
    _asking(
        "developer",
        heard=scenes.DEVELOPER.heard,
        system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    ),
    _asking("tools", ONE_CALL, heard=scenes.WITH_TOOLS, tools=TOOLS),
    _choosing("tool_choice_auto", {"type": "auto"}, "auto", ONE_CALL),
    _choosing("tool_choice_required", {"type": "any"}, "required", ONE_CALL),
    _choosing("tool_choice_none", {"type": "none"}, "none", SUNNY),
    _choosing("tool_choice_named", {"type": "tool", "name": "get_weather"}, "get_weather", ONE_CALL),
    _scene("tool_results", _CONVERSATION, scenes.TOOL_RESULTS.heard, tools=TOOLS),
    _asking("parallel_tools", PARALLEL, heard=scenes.WITH_TOOLS, tools=TOOLS),
    _picture("image_url", {"type": "url", "url": PICTURE_URL}, PICTURE_URL),
    _picture("image_base64", _PIXEL_SOURCE, PIXEL),
    _asking(
        "json_schema",
        scenes.CITY,
        heard=replace(scenes.ASKED, schema=SCHEMA),
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    ),
    _asking(
        "stop",
        replace(SUNNY, finish="stop_sequence", stop_sequence="END"),
        heard=replace(scenes.ASKED, stop=("END", "###")),
        stop_sequences=["END", "###"],
    ),
    _asking("max_tokens", replace(SUNNY, finish="length"), max_tokens=16),
    _asking("content_filter", replace(SUNNY, finish="content_filter")),
    _asking("usage", replace(SUNNY, input_tokens=1200, output_tokens=34, cached_tokens=1024)),
    _asking("reasoning", replace(SUNNY, reasoning="Zürich is a city. 🤔 Let me think.")),
)

"""What a request for `generateContent` says, judged by google-genai's types and by Google's documentation."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.genai import types

from tests.wires.wire import Heard, ToolCall

Part = Mapping[str, Any]

_FIELDS: Final = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"}
_DATA: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse")
_MODES: Final = {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none"}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def heard(body: bytes, model: str, *, stream: bool, vertex: bool) -> Heard:
    """The request in `body`."""
    fields = json.loads(body)
    _judge(fields, vertex=vertex)
    if "gemini-3" in model:
        _judge_signatures(fields["contents"])
    config = fields.get("generationConfig", {})
    parts = [part for content in fields["contents"] for part in content["parts"]]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    return Heard(
        model=model,
        stream=stream,
        system="\n".join(part["text"] for part in fields.get("systemInstruction", {}).get("parts", ())),
        turns=tuple(_turns(fields["contents"])),
        images=tuple(_images(parts)),
        tools=tuple(declared["name"] for declared in _declared(fields)),
        tool_choice=_tool_choice(fields),
        calls=tuple(ToolCall(call.get("id", ""), call["name"], call["args"]) for call in calls),
        results=tuple((result.get("id", result["name"]), result["response"]["output"]) for result in results),
        schema=config.get("responseJsonSchema"),
        stop=tuple(config.get("stopSequences", ())),
        max_tokens=config.get("maxOutputTokens"),
        temperature=config.get("temperature"),
    )


def _judge(fields: Mapping[str, Any], *, vertex: bool) -> None:
    if unknown := set(fields) - _FIELDS - {"cachedContent"}:
        raise ValueError(f"Unknown name {unknown}")
    if not fields["contents"]:
        raise ValueError("contents are required")
    for content in [*fields["contents"], *([fields["systemInstruction"]] if "systemInstruction" in fields else [])]:
        _judge_content(content, vertex=vertex)
    _judge_turns(fields["contents"])
    for tool in fields.get("tools", ()):
        types.Tool.model_validate(tool)
    for declared in _declared(fields):
        if _NAME.fullmatch(declared["name"]) is None or "parameters" in declared:
            raise ValueError("Invalid function declaration")
    if "toolConfig" in fields:
        types.ToolConfig.model_validate(fields["toolConfig"])
        if not fields.get("tools"):
            raise ValueError("Function calling config is set without function_declarations.")
    for setting in fields.get("safetySettings", ()):
        types.SafetySetting.model_validate(setting)
    _judge_config(fields.get("generationConfig", {}))


def _judge_config(config: Mapping[str, Any]) -> None:
    types.GenerationConfig.model_validate(config)
    if "responseJsonSchema" in config and config.get("responseMimeType") != "application/json":
        raise ValueError("A response schema is for application/json only")
    if "logprobs" in config and not config.get("responseLogprobs"):
        raise ValueError("logprobs is only valid if responseLogprobs is set")
    if {"thinkingLevel", "thinkingBudget"} <= set(config.get("thinkingConfig", {})):
        raise ValueError("thinking_budget and thinking_level are not supported together")
    if len(config.get("stopSequences", ())) > 5:
        raise ValueError("at most 5 stop sequences")
    if not 0 <= config.get("temperature", 1) <= 2:
        raise ValueError("temperature must be in the range [0.0, 2.0]")


def _judge_content(content: Mapping[str, Any], *, vertex: bool) -> None:
    types.Content.model_validate(content)
    if not content["parts"]:
        raise ValueError("contents.parts must not be empty.")
    for part in content["parts"]:
        if sum(name in part for name in _DATA) != 1:
            raise ValueError("a part has exactly one kind of data")
        if part.get("text") == "" and "thoughtSignature" not in part:
            raise ValueError("must have one initialized field")
        if vertex and "fileData" in part and not part["fileData"].get("mimeType"):
            raise ValueError("mimeType is required")


def _judge_turns(contents: list[Mapping[str, Any]]) -> None:
    if any(content["role"] not in {"user", "model"} for content in contents):
        raise ValueError("Please use a valid role: user, model.")
    if contents[-1]["role"] != "user":
        raise ValueError("Please ensure that single turn requests end with a user role")
    called: list[str] = []
    for content in contents:
        answered = [part["functionResponse"]["name"] for part in content["parts"] if "functionResponse" in part]
        if answered != called:
            raise ValueError("function response parts must be as many as function call parts, right after them")
        calls = [part for part in content["parts"] if "functionCall" in part]
        called = [part["functionCall"]["name"] for part in calls]
    if called:
        raise ValueError("a function call without its response")


def _judge_signatures(contents: list[Mapping[str, Any]]) -> None:
    for content in contents:
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and "thoughtSignature" not in calls[0]:
            raise ValueError("Function call is missing a thought_signature in functionCall parts.")


def _declared(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [declared for tool in fields.get("tools", ()) for declared in tool.get("functionDeclarations", ())]


def _turns(contents: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for content in contents:
        if text := "".join(part.get("text", "") for part in content["parts"] if not part.get("thought")):
            yield "assistant" if content["role"] == "model" else "user", text


def _images(parts: list[Part]) -> Iterator[str]:
    for part in parts:
        if "inlineData" in part:
            yield f"data:{part['inlineData']['mimeType']};base64,{part['inlineData']['data']}"
        elif "fileData" in part:
            yield part["fileData"]["fileUri"]
        elif "functionResponse" in part:
            yield from _images(part["functionResponse"].get("parts", []))


def _tool_choice(fields: Mapping[str, Any]) -> str | None:
    config = fields.get("toolConfig", {}).get("functionCallingConfig")
    if config is None:
        return None
    allowed = config.get("allowedFunctionNames", ())
    if allowed and config["mode"] not in {"ANY", "VALIDATED"}:
        raise ValueError("Allowed function names should only be set with function calling mode ANY or VALIDATED.")
    return str(allowed[0]) if len(allowed) == 1 else _MODES[config["mode"]]

"""A conversation as Google's `contents`: turns of `user` and `model`, with the system's words apart."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.outbound.providers.chat_calls import function_in
from adapters.outbound.providers.gemini.model import GeminiModel, refused
from adapters.outbound.providers.gemini.parts import Fields, Part, parts_of, texts_of

# Google's own word for calls of a history that comes from elsewhere: such have no signature, and none is looked for.
NO_SIGNATURE: Final = "skip_thought_signature_validator"

Content = dict[str, object]


def conversation(messages: Sequence[Fields], model: GeminiModel) -> tuple[list[Part], list[Content]]:
    """The system's words, and the turns."""
    turns = _Turns(model)
    for message in messages:
        turns.add(message)
    return turns.system, turns.contents


class _Turns:
    """Knows the names of all calls so far: results name the call's function, not only its id."""

    def __init__(self, model: GeminiModel) -> None:
        self._model = model
        self._names: dict[object, object] = {}
        self._results: list[Part] | None = None
        self.system: list[Part] = []
        self.contents: list[Content] = []

    def add(self, message: Fields) -> None:
        role = message.get("role")
        if role == "tool":
            self._add_result(message)
            return
        self._results = None
        match role:
            case "system" | "developer":
                self.system += texts_of(message.get("content"), self._model, "messages[].content[]")
            case "user":
                self._turn("user", list(parts_of(message.get("content"), self._model)))
            case "assistant":
                self._turn("model", [*self._said(message), *self._calls(message)])
            case _:
                raise self._model.unsupported("messages[].role")

    def _turn(self, role: str, parts: list[Part]) -> None:
        if parts:
            self.contents.append({"role": role, "parts": parts})

    def _add_result(self, message: Fields) -> None:
        """Results that follow each other are one turn: as many as there were calls."""
        if self._results is None:
            self._results = []
            self.contents.append({"role": "user", "parts": self._results})
        call_id = message.get("tool_call_id")
        name = (self._names.get(call_id) if isinstance(call_id, str) else None) or message.get("name")
        if not isinstance(name, str):
            raise refused("the result of a tool call that no message before it made", "messages[].tool_call_id")
        self._results.append({"functionResponse": _result(message.get("content"), call_id, name, self._model)})

    def _said(self, message: Fields) -> Iterator[Part]:
        parts = list(parts_of(message.get("content"), self._model))
        if message.get("refusal"):
            parts.append({"text": message["refusal"]})
        signature = signature_in(message)
        if signature is not None:
            if not parts:
                parts.append({"text": ""})
            parts[-1]["thoughtSignature"] = signature
        yield from parts

    def _calls(self, message: Fields) -> Iterator[Part]:
        calls = message.get("tool_calls") or ()
        signed = any(signature_in(call) for call in calls)
        for number, call in enumerate(calls):
            if call.get("type", "function") != "function":
                raise self._model.unsupported("messages[].tool_calls[].type")
            function = function_in(call)
            self._names[call.get("id")] = function.get("name")
            part: Part = {"functionCall": _function_call(call.get("id"), function)}
            signature = signature_in(call)
            if signature is None and number == 0 and not signed and self._model.wants_signatures:
                signature = NO_SIGNATURE
            if signature is not None:
                part["thoughtSignature"] = signature
            yield part


def signature_in(said: Fields) -> str | None:
    """The thought signature that a message or a tool call brings back."""
    match said.get("extra_content"):
        case {"google": {"thought_signature": str(signature)}} if signature:
            return signature
        case _:
            return None


def _function_call(call_id: object, function: Fields) -> Part:
    try:
        given = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise refused("expected the arguments of a tool call to be a JSON object", "messages[].tool_calls")
    call: Part = {"name": function.get("name"), "args": given}
    return call | {"id": call_id} if call_id else call


def _result(content: object, call_id: object, name: str, model: GeminiModel) -> Part:
    parts = list(parts_of(content, model))
    output = "".join(part["text"] for part in parts if "text" in part)
    result: Part = {"name": name, "response": {"output": output}}
    if call_id:
        result["id"] = call_id
    media = [part for part in parts if "text" not in part]
    return result | {"parts": media} if media else result

"""System prompt and turns of a Messages request as messages of a chat."""

import json
from collections.abc import Iterator
from typing import Any, Final

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.messages_via_chat.content import CONTENT, Block, Part, Parts, blocks_of, content_of
from adapters.outbound.providers.messages_via_chat.content import refused as _refused

Message = dict[str, Any]

_THOUGHTS: Final = ("thinking", "redacted_thinking")
_RESULT: Final = f"{CONTENT}.content[]"
_ERROR: Final = "Error"


class Conversation:
    """Writes the messages for one kind of chat."""

    def __init__(self, flavour: ChatFlavour, provider: str) -> None:
        self._flavour = flavour
        self._parts = Parts(flavour, provider)

    def messages(self, system: object, turns: object) -> list[Message]:
        """All of them.

        Raises:
            ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming what can't be said in a chat.
        """
        told = [self._system(system)] if system else []
        for turn in turns if isinstance(turns, list) else ():
            match turn.get("role"):
                case "user":
                    told += self._user(turn.get("content"))
                case "assistant":
                    told.append(self._assistant(turn.get("content")))
                case "system":
                    told.append(self._system(turn.get("content")))
                case role:
                    raise self._parts.has_no(f"messages[].role {role!r}")
        return told

    def _system(self, content: object) -> Message:
        return {"role": "system", "content": content_of(self._parts.texts(content, "system[]"))}

    def _user(self, content: object) -> Iterator[Message]:
        """Results of tools come right after the calls, in messages of their own; the rest is one message."""
        blocks = blocks_of(content)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        others = self._parts.of([block for block in blocks if block.get("type") != "tool_result"])
        moved: list[Part] = []
        for block in results:
            yield self._result(block, moved)
        if others or moved or not results:
            yield {"role": "user", "content": content_of([*moved, *others])}

    def _result(self, block: Block, moved: list[Part]) -> Message:
        call_id = block.get("tool_use_id")
        if not isinstance(call_id, str) or not call_id:
            raise _refused("expected the id of a call in a tool's result", f"{CONTENT}.tool_use_id")
        parts = self._parts.of(block.get("content"), _RESULT)
        if not self._flavour.rich_results:
            # In a tool's message chat knows texts alone; whoever reads on finds the rest in the next one.
            moved += [part for part in parts if part["type"] != "text"]
            parts = [part for part in parts if part["type"] == "text"]
        if block.get("is_error"):
            parts = _as_error(parts)
        return self._parts.marked({"role": "tool", "tool_call_id": call_id, "content": content_of(parts)}, block)

    def _assistant(self, content: object) -> Message:
        blocks = blocks_of(content)
        texts, calls, thoughts = [], [], []
        for block in blocks:
            if block.get("type") == "tool_use":
                calls.append(self._call(block))
            elif block.get("type") in _THOUGHTS:
                thoughts.append(dict(block))
            else:
                texts.append(block)
        parts = self._parts.texts(texts, CONTENT)
        message: Message = {"role": "assistant", "content": content_of(parts) if parts or not calls else None}
        if calls:
            message["tool_calls"] = calls
        return message | self._thoughts(thoughts)

    def _thoughts(self, thoughts: list[Message]) -> Message:
        """Those that nobody has signed came from a chat that tells them as a text, and are no blocks to others."""
        told: Message = {}
        signed = [thought for thought in thoughts if thought["type"] != "thinking" or thought.get("signature")]
        if signed and self._flavour.thoughts:
            told["thinking_blocks"] = signed
        unsigned = [thought.get("thinking") for thought in thoughts if thought not in signed]
        if self._flavour.reasoning and (said := "".join(text for text in unsigned if isinstance(text, str))):
            told["reasoning_content"] = said
        return told

    def _call(self, block: Block) -> Message:
        match block:
            case {"id": str(call_id), "name": str(name), "input": dict(given)}:
                arguments = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
            case _:
                raise _refused("expected a tool_use block to have id, name and input", CONTENT)
        call: Message = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        if self._flavour.thoughts and "extra_content" in block:
            call["extra_content"] = block["extra_content"]
        return call


def _as_error(parts: list[Part]) -> list[Part]:
    """Chat has no mark for it, so that the text must say it."""
    match parts:
        case [{"type": "text", "text": str(text)} as first, *rest]:
            if text.lstrip().lower().startswith(_ERROR.lower()):
                return parts
            return [{**first, "text": f"{_ERROR}: {text}"}, *rest]
        case _:
            return [{"type": "text", "text": _ERROR}, *parts]

"""The items of a Responses input as the messages of a chat."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_flavour import ChatFlavour
from domain.failure import Failure, FailureKind, ProviderFailed

Fields = Mapping[str, Any]
Message = dict[str, Any]

THOUGHTS: Final = "moongate:"
"""What `encrypted_content` begins with where it holds a provider's own blocks of thought."""

_ROLES: Final = ("user", "system", "developer", "assistant")


def messages_of(given: object, provider: str, flavour: ChatFlavour) -> list[Message]:
    """The conversation.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the item that chat cannot express.
    """
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    conversation = _Conversation(provider, flavour)
    for index, item in enumerate(given if isinstance(given, list) else ()):
        conversation.add(item, f"input[{index}]")
    conversation.show_moved()
    return conversation.messages


class _Conversation:
    """Items that one turn of the model consists of become one message."""

    def __init__(self, provider: str, flavour: ChatFlavour) -> None:
        self.messages: list[Message] = []
        self._provider = provider
        self._flavour = flavour
        self._thoughts: Message = {}
        self._moved: list[Message] = []

    def add(self, item: Fields, where: str) -> None:
        """The next item."""
        kind = item.get("type") or "message"
        if kind != "function_call_output":
            self.show_moved()
        match kind:
            case "message" if item.get("role") in _ROLES:
                self._say(item, where)
            case "function_call":
                self._call(item, where)
            case "function_call_output":
                result = self._result(item.get("output"), f"{where}.output")
                self.messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": result})
            case "reasoning":
                self._think(item)
            case "message":
                raise refused(f"{where}.role", "expected user, assistant, system or developer")
            case _:
                raise not_in_chat(f"{where}.type", kind, self._provider)

    def show_moved(self) -> None:
        """What tools gave that is no text, in a message after all results: theirs know texts alone."""
        if self._moved:
            moved, self._moved = self._moved, []
            self.messages.append({"role": "user", "content": moved})

    def _result(self, output: object, where: str) -> object:
        result = self._content(output, where)
        if self._flavour.rich_results or not isinstance(result, list):
            return result
        self._moved += [part for part in result if part["type"] != "text"]
        return _plain([part for part in result if part["type"] == "text"]) or ""

    def _say(self, item: Fields, where: str) -> None:
        content = self._content(item.get("content"), f"{where}.content")
        role = item["role"]
        if role != "assistant":
            self._thoughts = {}
            self.messages.append({"role": "system" if role == "developer" else role, "content": content})
            return
        turn = self._turn()
        if turn is None or not turn.get("tool_calls"):
            self.messages.append({"role": "assistant", **self._taken_thoughts(), "content": content})
        else:  # what was said beside a call belongs to the turn whose results are still to come
            turn["content"] = [*_parts(turn.get("content")), *_parts(content)]

    def _call(self, item: Fields, where: str) -> None:
        if not isinstance(item.get("name"), str) or not isinstance(item.get("arguments"), str):
            raise refused(where, "expected a function call with 'name' and 'arguments'")
        function = {"name": item["name"], "arguments": item["arguments"]}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        if self._flavour.thoughts and item.get("extra_content"):
            call["extra_content"] = item["extra_content"]
        turn = self._turn()
        if turn is None or (self._thoughts and not turn.get("tool_calls")):
            turn = {"role": "assistant", **self._taken_thoughts(), "content": None}
            self.messages.append(turn)
        turn.setdefault("tool_calls", []).append(call)

    def _think(self, item: Fields) -> None:
        said = item.get("content") or item.get("summary") or ()
        texts = [part["text"] for part in said if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if texts:
            self._thoughts["reasoning_content"] = "\n".join(texts)
        if self._flavour.thoughts and (blocks := opened_thoughts(item.get("encrypted_content"))):
            self._thoughts["thinking_blocks"] = [*self._thoughts.get("thinking_blocks", ()), *blocks]

    def _taken_thoughts(self) -> Message:
        taken, self._thoughts = self._thoughts, {}
        return taken if self._flavour.reasoning else {}

    def _turn(self) -> Message | None:
        """The model's turn, where it is not over."""
        last = self.messages[-1] if self.messages else None
        return last if last is not None and last["role"] == "assistant" else None

    def _content(self, content: object, where: str) -> object:
        if content is None or isinstance(content, str):
            return content or ""
        if not isinstance(content, list):
            raise refused(where, "expected a string or a list of parts")
        return _plain([self._part(part, f"{where}[{index}]") for index, part in enumerate(content)])

    def _part(self, part: Any, where: str) -> Message:
        fields: Fields = part if isinstance(part, dict) else {}
        match fields:
            case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
                return {"type": "text", "text": text}
            case {"type": "refusal", "refusal": str(refusal)}:
                return {"type": "refusal", "refusal": refusal}
            case {"type": "input_image", "image_url": str(url)}:
                detail = {"detail": fields["detail"]} if fields.get("detail") else {}
                return {"type": "image_url", "image_url": {"url": url, **detail}}
            case {"type": "input_file"} if fields.get("file_url") is None:
                names = ("file_id", "filename", "file_data")
                return {"type": "file", "file": {name: fields[name] for name in names if fields.get(name)}}
            case {"type": "input_audio", "input_audio": dict(audio)}:
                return {"type": "input_audio", "input_audio": audio}
            case {"type": "input_image"}:
                raise not_in_chat(f"{where}.file_id", "a stored picture", self._provider)
            case {"type": "input_file"}:
                raise not_in_chat(f"{where}.file_url", "a file by its address", self._provider)
            case _:
                raise not_in_chat(f"{where}.type", fields.get("type"), self._provider)


def not_in_chat(where: str, what: object, provider: str) -> ProviderFailed:
    """The provider's chat has no place for it."""
    message = f"{provider} does not support {where!r}: its chat has no way to say {what!r}"
    return ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param=where))


def refused(where: str, why: str) -> ProviderFailed:
    """The request is no good, whoever is asked."""
    return ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, f"{where}: {why}", status=400, param=where, unsent=True))


def sealed_thoughts(blocks: Iterable[object]) -> str:
    """A provider's own blocks of thought, for the client to send back as they are."""
    return THOUGHTS + base64.b64encode(json.dumps(list(blocks), separators=(",", ":")).encode()).decode()


def opened_thoughts(sealed: object) -> list[object]:
    """What `sealed_thoughts` was given; nothing of what others have sealed, which nobody else can read."""
    if not isinstance(sealed, str) or not sealed.startswith(THOUGHTS):
        return []
    try:
        blocks = json.loads(base64.b64decode(sealed.removeprefix(THOUGHTS), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return []
    return blocks if isinstance(blocks, list) else []


def _plain(parts: list[Message]) -> str | list[Message]:
    """One text by itself as a string, which every server understands."""
    match parts:
        case [{"type": "text", "text": str(text)}]:
            return text
        case _:
            return parts


def _parts(content: object) -> list[Message]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []

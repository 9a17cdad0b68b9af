"""The whole reply that a stream amounts to, so that both kinds of request share one kept reply."""

import re
from typing import Final

from application.ports.response_cache import LARGEST_ENTRY_BYTES
from application.replies import responses
from application.replies.choice_parts import FINISHED, ChoiceParts
from application.replies.members import Members, Uncertain, keep_equal
from application.replies.messages.whole_message import is_finished
from application.replies.reply_json import parse, to_json
from application.replies.whole_reply import OBJECTS, choices_of
from domain.chat import Chunk, Endpoint, Reply, Usage


class ReplyAssembly:
    """Fed with the chunks of one stream. What can't be put together without guessing makes it give up.

    `max_bytes` bounds the reply's body and, to a small factor, what is held until then.

    Attributes:
        gave_up: There will be no reply: too large, uncertain, malformed, or finished for a reason that is not kept.
            It holds nothing any more, and feeding it more is harmless.
    """

    __slots__ = (
        "_choices",
        "_collected",
        "_endpoint",
        "_head",
        "_last_head",
        "_max_bytes",
        "_usage",
        "_whole",
        "gave_up",
    )

    def __init__(self, endpoint: Endpoint, max_bytes: int = LARGEST_ENTRY_BYTES) -> None:
        self._endpoint = endpoint
        self._max_bytes = max_bytes
        self._collected = 0
        self._choices: dict[int, ChoiceParts] = {}
        self._head: Members = {}
        self._last_head: Members = {}
        self._usage: Usage | None = None
        self._whole: Reply | None = None
        self.gave_up = endpoint not in OBJECTS and endpoint is not Endpoint.RESPONSES

    def add(self, batch: tuple[Chunk, ...]) -> None:
        """Takes what was sent next. Parses each chunk once, 5 µs for one with a word in it."""
        if self.gave_up:
            return
        try:
            for chunk in batch:
                # Without data it is a sign of life.
                if chunk.data and self._endpoint is Endpoint.RESPONSES:
                    self._whole = responses.whole_reply(chunk) or self._whole
                elif chunk.data:
                    self._take(chunk)
        except (ValueError, RecursionError):  # deep objects fail even to be compared
            self._give_up()

    def reply(self) -> Reply | None:
        """The whole reply, after a stream that ended as it should; None where it must not be kept.

        Whether the stream was complete the caller must know too: a stream that lost a whole choice looks complete.
        """
        if self._whole is not None and len(self._whole.body) <= self._max_bytes and responses.keepable(self._whole):
            return self._whole
        if self.gave_up or sorted(self._choices) != list(range(len(self._choices))) or not self._choices:
            return None
        try:
            choices = [self._choices[index].whole(index) for index in range(len(self._choices))]
            body = to_json(self._document(choices))
        except ValueError:
            return None
        return Reply(body, self._usage) if len(body) <= self._max_bytes else None

    def _take(self, chunk: Chunk) -> None:
        document = parse(chunk.data)
        if chunk.usage is not None:
            self._usage = chunk.usage
        choices = document.pop("choices", None)
        for padding in _PADDING:
            document.pop(padding, None)
        if document != self._last_head:
            known = len(self._head)
            self._last_head = document
            self._take_head(document)
            if len(self._head) > known:
                self._collected += len(to_json(document))
        if choices is not None:
            self._take_choices(choices, len(chunk.data))
        if self._collected > self._max_bytes:
            raise Uncertain("too large")

    def _take_choices(self, choices: object, size_bytes: int) -> None:
        if not isinstance(choices, list):
            raise Uncertain("choices that are no list")
        for choice in choices:
            index = choice.get("index") if isinstance(choice, dict) else None
            if type(index) is not int:
                raise Uncertain("a choice without index")
            parts = self._choices.get(index)
            if parts is None:
                parts = self._choices[index] = ChoiceParts(self._endpoint)
                self._collected += _CHOICE_BYTES
            self._collected += parts.add(choice, size_bytes)

    def _take_head(self, head: Members) -> None:
        for name, value in head.items():
            match name:
                case "error" if value is not None:
                    raise Uncertain("an error")
                case "object":
                    pass
                case "created":
                    # Some servers tell the time of each chunk: the reply's is the first. 0 is Azure's for none.
                    self._head[name] = self._head.get(name) or value
                case "usage" | "system_fingerprint" | "service_tier":
                    if value is not None or name not in self._head:
                        self._head[name] = value
                case "x_groq" if isinstance(value, dict):
                    self._take_groq(value)
                case _:
                    keep_equal(self._head, name, value)

    def _take_groq(self, told: Members) -> None:
        """Groq's own object: the usage of a stream, which a whole reply has in `usage`, and ids in several parts."""
        kept = self._head.setdefault("x_groq", {})
        if not isinstance(kept, dict):
            raise Uncertain("different kinds of x_groq")
        for name, value in told.items():
            if name != "usage":
                keep_equal(kept, name, value)
            elif value is not None and self._head.get(name) is None:
                self._head[name] = value

    def _document(self, choices: list[Members]) -> Members:
        head = {name: value for name, value in self._head.items() if name != "usage" or value is not None}
        return {**head, "object": OBJECTS[self._endpoint], "choices": choices}

    def _give_up(self) -> None:
        self.gave_up = True
        self._choices = {}
        self._head = self._last_head = {}
        self._usage = None
        self._whole = None


def keepable(endpoint: Endpoint, reply: Reply, choices: int = 1) -> bool:
    """Whether a whole reply may be kept: complete, no error, and of a shape that can be replayed as a stream.

    `choices`: how many it must have at least.

    Costs a parse of the body; of embeddings mostly a look, for they are long, and were parsed when they came.
    """
    if endpoint is Endpoint.EMBEDDINGS and b'"error"' not in reply.body and _EMBEDDED.match(reply.body):
        return True
    if endpoint is Endpoint.RESPONSES:
        return responses.keepable(reply)
    try:
        document = parse(reply.body)
        return document.get("error") is None and _is_whole(endpoint, document, choices)
    except ValueError:
        return False


def _is_whole(endpoint: Endpoint, document: Members, choices: int) -> bool:
    if endpoint is Endpoint.MESSAGES:
        return is_finished(document)
    if endpoint is Endpoint.EMBEDDINGS:
        return isinstance(document.get("data"), list) and bool(document["data"])
    found = choices_of(endpoint, document)
    return len(found) >= choices and all(choice["finish_reason"] in FINISHED for choice in found)


# An object that has something in `data`. There is no text in embeddings that could look like it.
_EMBEDDED: Final = re.compile(rb'\s*\{(?:[^{}]*,)?\s*"data"\s*:\s*\[\s*[^\s\]]')

# What a choice is written in.
_CHOICE_BYTES: Final = 64

# Random text against guessing a reply by the sizes of its packets: OpenAI's name for it, Mistral's.
_PADDING: Final = ("obfuscation", "p")

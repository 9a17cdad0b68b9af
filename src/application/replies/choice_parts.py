from typing import Final

from application.replies.members import Members, Uncertain, keep_equal, keep_once
from application.replies.message_parts import MessageParts
from application.replies.text_parts import TextParts
from domain.chat import Endpoint

FINISHED: Final = frozenset({"stop", "tool_calls", "function_call"})
"""Finish reasons of a reply that says all it had to say."""

LOGPROB_LISTS: Final = ("content", "refusal", "tokens", "token_logprobs", "top_logprobs", "text_offset")
"""Members of `logprobs` that grow from chunk to chunk: two of chat, four of completions."""

_SAID_AGAIN: Final = ("index", "content_filter_results")


class ChoiceParts:
    """One choice from its parts in chunks."""

    __slots__ = ("_finish_reason", "_has_logprobs", "_is_chat", "_logprobs", "_members", "_message", "_quiet", "_texts")

    def __init__(self, endpoint: Endpoint) -> None:
        self._is_chat = endpoint is Endpoint.CHAT
        self._message = MessageParts()
        self._texts = TextParts()
        self._members: Members = {}
        self._logprobs: Members | None = None
        self._has_logprobs = False
        self._finish_reason = ""
        # The rest of a part that has nothing but output; most are alike, so that one comparison is enough.
        self._quiet: Members | None = None

    def add(self, part: Members, size_bytes: int) -> int:
        """How much it adds, in characters or bytes. `part`, in a chunk of `size_bytes`, is this object's from now on.

        Raises:
            Uncertain: It can't be put together, or will not be kept.
        """
        collected = self._add_output(part)
        if part == self._quiet:
            return collected
        self._add_rest(part)
        if any(value is not None for name, value in part.items() if name not in _SAID_AGAIN):
            return size_bytes
        self._quiet = part
        return collected

    def whole(self, index: int) -> Members:
        """The choice. Raises Uncertain where it is not finished, or is empty."""
        if not self._finish_reason:
            raise Uncertain("a choice that is not finished")
        whole: Members = {"index": index}
        if self._is_chat:
            whole["message"] = self._message.whole(self._finish_reason)
        else:
            self._texts.put_into(whole)
            if not whole.get("text"):
                raise Uncertain("a choice that says nothing")
        if self._has_logprobs:
            whole["logprobs"] = self._logprobs
        return {**whole, "finish_reason": self._finish_reason, **self._members}

    def _add_output(self, part: Members) -> int:
        output = part.pop("delta", None) if self._is_chat else part.pop("text", None)
        if output is None:
            return 0
        if self._finish_reason and _says_something(output):
            raise Uncertain("output after the end")
        if not self._is_chat:
            return self._texts.add("text", output)
        if not isinstance(output, dict):
            raise Uncertain("a delta that is no object")
        if len(output) == 1 and type(content := output.get("content")) is str:
            return self._message.add_text("content", content)
        return self._message.add(output)

    def _add_rest(self, part: Members) -> None:
        for name, value in part.items():
            match name:
                case "index":
                    pass
                case "finish_reason":
                    self._finish(value)
                case "logprobs":
                    self._add_logprobs(value)
                case "content_filter_results":  # of Azure; on each chunk
                    keep_equal(self._members, name, value)
                case "message" | "delta" | "text":
                    raise Uncertain(f"a choice with {name!r} beside its output")
                case _:
                    keep_once(self._members, name, value)

    def _finish(self, reason: object) -> None:
        if not reason:  # some servers say "" where others say null
            return
        if not isinstance(reason, str) or reason not in FINISHED or self._finish_reason not in {"", reason}:
            raise Uncertain("a finish reason that is not kept")
        self._finish_reason = reason

    def _add_logprobs(self, logprobs: object) -> None:
        self._has_logprobs = True
        if logprobs is None:
            return
        if not isinstance(logprobs, dict):
            raise Uncertain("logprobs that are no object")
        if self._logprobs is None:
            self._logprobs = {}
        for name, value in logprobs.items():
            known = self._logprobs.get(name)
            if name not in LOGPROB_LISTS or not isinstance(value, list) or not isinstance(known, list):
                keep_once(self._logprobs, name, value)
                continue
            if name == "text_offset" and known and value and not _follows(value[0], known[-1]):
                raise Uncertain("text offsets that begin again")
            known.extend(value)


def _says_something(output: object) -> bool:
    """Some servers repeat the role, with an empty text, beside the usage."""
    return any(value for name, value in output.items() if name != "role") if isinstance(output, dict) else bool(output)


def _follows(later: object, earlier: object) -> bool:
    return isinstance(later, int) and isinstance(earlier, int) and later >= earlier

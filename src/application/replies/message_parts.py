from typing import Final

from application.replies.members import Members, Uncertain, keep_equal, keep_once
from application.replies.reply_json import to_json
from application.replies.text_parts import TextParts
from application.replies.tool_call_parts import FunctionParts, ToolCallParts

TEXTS: Final = ("reasoning_content", "reasoning", "content", "refusal")
"""Members of a message that arrive in pieces, in the order in which they are said."""


class MessageParts:
    """A chat message from its deltas."""

    __slots__ = ("_function_call", "_members", "_texts", "_tool_calls")

    def __init__(self) -> None:
        self._members: Members = {}
        self._texts = TextParts()
        self._tool_calls: dict[int, ToolCallParts] = {}
        self._function_call: FunctionParts | None = None

    def add_text(self, name: str, piece: str) -> int:
        """As a delta with nothing but `piece`: its characters."""
        return self._texts.add(name, piece)

    def add(self, delta: Members) -> int:
        """How much it adds, in characters of text, in bytes of JSON else."""
        collected = 0
        for name, value in delta.items():
            if name in TEXTS:
                collected += self._texts.add(name, value)
            elif name == "role":
                keep_equal(self._members, name, value)
            elif name == "tool_calls" and value:
                collected += self._add_tool_calls(value)
            elif name == "function_call" and value:
                if self._function_call is None:
                    self._function_call = FunctionParts()
                collected += self._function_call.add(value)
            else:
                keep_once(self._members, name, value)
                collected += len(to_json(value)) if value else 0
        return collected

    def whole(self, finish_reason: str) -> Members:
        """The message. Raises Uncertain where it says nothing, or not what it was finished for."""
        said: Members = {}
        self._texts.put_into(said)
        # OpenAI's schema wants these two, whatever a stream leaves out.
        whole = {"role": self._members.get("role") or "assistant", "content": None, **said}
        whole |= {name: value for name, value in self._members.items() if name != "role"}
        if self._tool_calls:
            whole["tool_calls"] = [self._tool_calls[index].whole() for index in sorted(self._tool_calls)]
        if self._function_call is not None:
            whole["function_call"] = self._function_call.whole()
        if not any(value for name, value in whole.items() if name != "role"):
            raise Uncertain("a message that says nothing")
        if finish_reason in _CALLS and not whole.get(finish_reason):
            raise Uncertain(f"finished for {finish_reason}, which are not there")
        return whole

    def _add_tool_calls(self, deltas: object) -> int:
        if not isinstance(deltas, list):
            raise Uncertain("tool calls that are no list")
        collected = 0
        for delta in deltas:
            index = delta.get("index") if isinstance(delta, dict) else None
            if type(index) is not int:
                raise Uncertain("a tool call without index")
            # Not always from 0: some bridges count other items of the reply too.
            call = self._tool_calls.get(index)
            if call is None:
                call = self._tool_calls[index] = ToolCallParts()
                call.add(delta)
                collected += len(to_json(delta))
            else:
                collected += call.add(delta)
        return collected


_CALLS: Final = ("tool_calls", "function_call")

from typing import Final

from application.replies.members import Members, Uncertain, keep_equal, keep_once
from application.replies.text_parts import TextParts


class FunctionParts:
    """The call of a function: its name at once, its arguments in pieces."""

    __slots__ = ("_arguments", "_members")

    def __init__(self) -> None:
        self._members: Members = {}
        self._arguments = TextParts()

    def add(self, delta: object) -> int:
        """How many characters of arguments it adds."""
        if not isinstance(delta, dict):
            raise Uncertain("a function that is no object")
        collected = 0
        for name, value in delta.items():
            if name == "arguments":
                collected += self._arguments.add(name, value)
            else:
                # Also the name: some servers repeat it, and an equal second part could be meant to be appended.
                keep_once(self._members, name, value)
        return collected

    def whole(self) -> Members:
        """Raises Uncertain where name or arguments are missing."""
        whole = dict(self._members)
        self._arguments.put_into(whole)
        if not (isinstance(whole.get("name"), str) and whole["name"] and isinstance(whole.get("arguments"), str)):
            raise Uncertain("a function without name or arguments")
        return whole


class ToolCallParts:
    """One tool call. Servers leave `id` and `type` out of later deltas, repeat them, or say an empty string."""

    __slots__ = ("_function", "_members")

    def __init__(self) -> None:
        self._members: Members = {}
        self._function: FunctionParts | None = None

    def add(self, delta: Members) -> int:
        """How many characters of arguments it adds."""
        collected = 0
        for name, value in delta.items():
            if name == "index":
                continue
            if name in _REPEATED:
                keep_equal(self._members, name, value)
            elif name != "function":
                keep_once(self._members, name, value)
            elif value is not None:
                if self._function is None:
                    self._function = FunctionParts()
                collected += self._function.add(value)
        return collected

    def whole(self) -> Members:
        """Raises Uncertain where something is missing."""
        whole = dict(self._members)
        kind = whole.get("type") or _FUNCTION
        if not (isinstance(whole.get("id"), str) and whole["id"]):
            raise Uncertain("a tool call without id")
        if (kind == _FUNCTION) != (self._function is not None):
            raise Uncertain("a tool call without what it calls")
        whole["type"] = kind
        if self._function is not None:
            whole["function"] = self._function.whole()
        return whole


_REPEATED: Final = ("id", "type")
_FUNCTION: Final = "function"

"""Which of a turn's tool calls a piece in a chat's stream belongs to."""

from collections.abc import Mapping
from typing import Any

from application.ports.provider import Call


class CallNumbers:
    """Of one stream. The index says it, but for servers that leave it out, or say 0 of all (Ollama, and some bridges).

    There a call begins where a name comes with another id. The id alone says nothing: some give each piece its own.
    """

    __slots__ = ("_ids", "_last", "_numbers")

    def __init__(self) -> None:
        self._numbers: dict[int | None, int] = {}
        self._ids: dict[int, str] = {}
        self._last = 0

    def number(self, delta: Mapping[str, Any]) -> int:
        """Of the call that the piece belongs to: its index where that is its own."""
        index = delta.get("index")
        index = index if type(index) is int else None
        call_id, function = delta.get("id"), delta.get("function")
        named = isinstance(function, Mapping) and bool(function.get("name"))
        number = self._numbers.get(index, self._last if index is None and self._ids else None)
        begins = named and isinstance(call_id, str) and bool(call_id)
        if number is None or (begins and self._ids.get(number) not in {call_id, ""}):
            number = self._free(index)
            self._ids[number] = call_id if isinstance(call_id, str) else ""
        self._numbers[index] = self._last = number
        return number

    def _free(self, index: int | None) -> int:
        return index if index is not None and index not in self._ids else max(self._ids, default=-1) + 1


def call_id_of(told: Mapping[str, Any], call: Call, number: int) -> str:
    """The tool call's id; one of the gateway's own where the provider gave it none, for results must name it."""
    told_id = told.get("id")
    if isinstance(told_id, str) and told_id:
        return told_id
    return f"call_{call.request_id.replace('-', '')}" + (f"_{number}" if number else "")


def function_in(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a tool call calls, as far as it says it."""
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def objects_in(told: object) -> list[dict[str, Any]]:
    """The objects of a list; nothing of what is none."""
    return [item for item in told if isinstance(item, dict)] if isinstance(told, list) else []

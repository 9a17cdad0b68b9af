"""Names and when they are due."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush, nsmallest

_SLACK = 64


class Expiries:
    """Ordered by instant, then by name, as a sorted set is. Mutable: the store that owns it changes it."""

    __slots__ = ("_due_us", "_heap")

    def __init__(self) -> None:
        self._due_us: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._due_us)

    def set(self, name: str, due_us: int) -> None:
        """Adds `name`, or moves it."""
        if self._due_us.get(name) == due_us:
            return
        self._due_us[name] = due_us
        heappush(self._heap, (due_us, name))
        if len(self._heap) > 2 * len(self._due_us) + _SLACK:
            self._heap = [(due, name) for name, due in self._due_us.items()]
            heapify(self._heap)

    def remove(self, name: str) -> None:
        """Forgets `name`, where it is known."""
        self._due_us.pop(name, None)

    def first(self, until_us: int, most: int) -> list[str]:
        """The first `most` that are due at `until_us` or earlier; changes nothing."""
        found: list[str] = []
        kept: list[tuple[int, str]] = []
        for due_us, name in self._popped(until_us):
            kept.append((due_us, name))
            found.append(name)
            if len(found) == most:
                break
        for entry in kept:
            heappush(self._heap, entry)
        return found

    def after(self, from_us: int, most: int) -> list[str]:
        """The first `most` that are due later than `from_us`; changes nothing."""
        found = ((due_us, name) for name, due_us in self._due_us.items() if due_us > from_us)
        return [name for _, name in nsmallest(most, found)]

    def _popped(self, until_us: int) -> Iterator[tuple[int, str]]:
        """Live entries that are due, taken off the heap; stale ones are dropped on the way."""
        previous = None
        while self._heap and self._heap[0][0] <= until_us:
            entry = heappop(self._heap)
            if self._due_us.get(entry[1]) == entry[0] and entry != previous:
                previous = entry
                yield entry

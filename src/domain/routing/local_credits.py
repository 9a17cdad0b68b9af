"""The credits that one gateway keeps for itself, where gateways don't share their turns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import gcd

from domain.durations import MINUTE_US
from domain.routing.smooth_weighted_round_robin import pick
from domain.routing.turn_order import Credits, Turn, Way

FORGET_AFTER_US = 60 * MINUTE_US

# Enough to set gateways apart, and done in well under a millisecond.
LONGEST_PHASE = 256


class LocalCredits:
    """Credits of round-robins by key and member. Those of each sum up to 0, whatever is charged or given back.

    A key that nobody used for an hour is forgotten: keys change with the configuration.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[str, Credits] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, key: str, weights: Sequence[tuple[str, int]], now_us: int, draw: Callable[[], float]) -> Credits:
        """The state of a round-robin. One never heard of begins at a random place of its sequence."""
        kept = self._kept.get(key)
        if kept is None:
            self._kept = {known: one for known, one in self._kept.items() if now_us - one.used_us <= FORGET_AFTER_US}
            kept = self._kept[key] = Credits(random_phase(weights, draw), now_us)
        kept.used_us = now_us
        return kept

    def expected(self, ways: Iterable[Way]) -> Way:
        """The first way without anybody who is out; or else the first of all."""
        first: Way | None = None
        for way in ways:
            if not any(turn.taken in self._kept[turn.key].out for turn in way):
                return way
            first = way if first is None else first
        return first or ()

    def settled(self, way: Way) -> Way:
        """What is spent when an instance was taken: notes who is out and who is not, and leaves the former out."""
        return tuple(self._settled(turn) for turn in way)

    def charge(self, way: Way) -> None:
        """Takes the turns of a way: everyone's credit grows by its weight, and the one taken pays the sum."""
        self._add(way, 1)

    def give_back(self, way: Way) -> None:
        """Undoes exactly that, whatever was charged in between."""
        self._add(way, -1)

    def _settled(self, turn: Turn) -> Turn:
        kept = self._kept.get(turn.key)
        if kept is None:
            return turn
        out = kept.out
        out.update(turn.refused)
        out.discard(turn.taken)
        if not any(name in out for name, _ in turn.members):
            return turn
        # Learnt from other answers since this one was asked for.
        return replace(turn, members=tuple(member for member in turn.members if member[0] not in out))

    def _add(self, way: Way, sign: int) -> None:
        for turn in way:
            kept = self._kept.get(turn.key)
            if kept is None:  # forgotten in the meantime
                continue
            by_member, total = kept.by_member, 0
            for member, weight in turn.members:
                by_member[member] = by_member.get(member, 0) + sign * weight
                total += weight
            by_member[turn.taken] -= sign * total


def random_phase(weights: Sequence[tuple[str, int]], draw: Callable[[], float]) -> dict[str, int]:
    """The credits after a random number of turns, less than a whole cycle: so gateways don't all begin alike."""
    shares = [weight for _, weight in weights]
    turns = int(draw() * min(sum(shares) // gcd(*shares), LONGEST_PHASE))
    credits_now: dict[str, int] = {}
    for _ in range(turns):
        _, credits_now = pick(weights, credits_now)
    return credits_now

"""How a fleet agrees that its store may have lost money, from marks that each server of the store keeps."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway said `age_us` ago: that it has brought back, at that epoch, what the store may have lost of it."""

    epoch: int
    age_us: int


@dataclass(frozen=True, slots=True)
class EpochMark:
    """One mark as it was found.

    Attributes:
        number: The epoch it names; 0 where it is missing.
        age_us: How long ago that epoch began.
        vouched: It was written by the very history of data that its server goes on with now.
        history: Names that history. A server that starts anew or takes another's place begins a new one.
    """

    number: int
    age_us: int
    vouched: bool
    history: str


@dataclass(frozen=True, slots=True)
class EpochFinding:
    """What marks say together: the epoch, and which of them (by place) are to be written so that all say it.

    Attributes:
        lost: Marks of servers that may have lost data. They are written first: while one is missing, whoever looks
            finds the same loss, and names it by the same number.
    """

    number: int
    age_us: int
    lost: tuple[int, ...]
    behind: tuple[int, ...]


def find(marks: Sequence[EpochMark], known: int) -> EpochFinding:
    """What the marks say to somebody who knows of epoch `known` already (0: of none).

    A server without any vouched mark has lost data, or has never been marked. One that has some is being marked just
    now, or was given slots of another. Marks that all lag behind what is known have been lost and made anew.
    """
    highest = max(mark.number for mark in marks)
    vouched_for = {mark.history for mark in marks if mark.vouched}
    lost = tuple(place for place, mark in enumerate(marks) if mark.history not in vouched_for)
    if lost or highest < known:
        number, age_us = max(highest, known) + 1, 0
    else:
        number, age_us = highest, min(mark.age_us for mark in marks if mark.number == highest)
    lagging = (place for place, mark in enumerate(marks) if mark.number < number or not mark.vouched)
    return EpochFinding(number, age_us, lost, tuple(lagging))

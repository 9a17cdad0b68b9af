"""A reply on its way: its frames, as the one who calls upstream tells them to those who wait for the same reply.

A flight is what the holder of one fill told. Its frames are numbered from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.durations import SECOND_US

FOLLOWED_US = 5 * SECOND_US
"""For how long after somebody asked for frames a flight counts as followed."""

KEPT_US = 30 * SECOND_US
"""For how long what was told can be read, from when something was told last."""

NEWS_BYTES = 262_144
"""About how much of a flight one answer has; a single frame may be larger."""

NEWS_FRAMES = 2_048
"""How many frames one answer has at most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """`count`: how many frames the store has. `followed`: somebody asked for frames of this flight lately."""

    count: int
    followed: bool


@dataclass(frozen=True, slots=True)
class News:
    """`frames`: what was not known yet, or its beginning.

    Attributes:
        ended: The last frame of all is among them or before.
        held: Whoever tells them may go on; where it may not and the flight has not ended, no more follows.
    """

    frames: Sequence[bytes]
    ended: bool
    held: bool


def unheard(first: int, frames: Sequence[bytes], count: int) -> Sequence[bytes] | None:
    """Those of `frames`, numbered from `first` on, that a store of `count` lacks; None: it lacks some before them."""
    return None if first > count else frames[count - first :]


def is_followed(followed_us: int | None, now_us: int) -> bool:
    """Whether a question at `followed_us` was lately; no longer when FOLLOWED_US have passed."""
    return followed_us is not None and now_us < followed_us + FOLLOWED_US


def kept_until(now_us: int, ttl_us: int) -> int:
    """When a flight is forgotten of which something is told now, and whose fill holds for `ttl_us`."""
    return now_us + max(ttl_us, KEPT_US)


def portion(frames: Sequence[bytes], after: int, most_bytes: int = NEWS_BYTES) -> Sequence[bytes]:
    """The frames from number `after` on that one answer takes: at least one, where there is one."""
    size_bytes = 0
    for number, frame in enumerate(frames[after : after + NEWS_FRAMES]):
        size_bytes += len(frame)
        if size_bytes > most_bytes and number > 0:
            return frames[after : after + number]
    return frames[after : after + NEWS_FRAMES]

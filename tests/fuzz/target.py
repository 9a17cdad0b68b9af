"""What is fuzzed: something that reads bytes of others, and what must hold whatever they are."""

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from zlib import crc32

T = TypeVar("T")

LONGEST_S: Final = 1.0
"""Of processor time, for one input."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        check: Reads one input. Everything that it raises is a finding: it swallows what the parser may raise.
        seeds: Small real inputs.
        tokens: Words that inputs are made of.
        longest: Bytes of an input.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    tokens: Sequence[bytes] = field(default=())
    longest: int = 1024


class TooSlow(AssertionError):
    """An input took longer than any may."""


def checked(target: Target, data: bytes) -> None:
    """Raises whatever is wrong, TooSlow included."""
    began_s = time.process_time()
    target.check(data)
    took_s = time.process_time() - began_s
    if took_s > LONGEST_S:
        raise TooSlow(f"{len(data)} bytes took {took_s:.2f} s of processor time")


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """What it returns, without an event loop: nothing in it may have to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coroutine.close()
    raise AssertionError("it waits for something")


def pieces(data: bytes) -> list[bytes]:
    """The same bytes in reads of a length that depends on them."""
    size = 1 + crc32(data) % 37
    return [data[start : start + size] for start in range(0, len(data), size)]


def way(data: bytes, ways: Sequence[T]) -> tuple[T, bytes]:
    """For a target that can be gone through in several ways: the first byte chooses, the rest is the input."""
    return ways[(data[0] if data else 0) % len(ways)], data[1:]


def every_way(ways: Sequence[T], inputs: Sequence[bytes]) -> list[bytes]:
    """Each input for each way."""
    return [bytes([number]) + each for number in range(len(ways)) for each in inputs]

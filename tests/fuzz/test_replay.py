"""Every target in short: its seeds, all inputs that ever crashed it, and mutations of them."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.examples import examples
from tests.fuzz.mutation import mutated
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import LONGEST_S, Target, TooSlow, checked

REGRESSIONS = Path(__file__).parent / "regressions"
MUTATIONS = examples(1800)


def inputs_of(name: str, target: Target) -> Iterator[bytes]:
    known = [*target.seeds(), *(path.read_bytes() for path in sorted((REGRESSIONS / name).glob("*")))]
    yield from known
    random = Random(name)
    for _ in range(MUTATIONS):
        yield mutated(random.choice(known), random, target.longest, target.tokens)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_read_does_more_than_be_refused(name: str) -> None:
    target = TARGETS[name]
    assert target.seeds()
    for data in inputs_of(name, target):
        try:
            checked(target, data)
        except Exception as error:
            raise AssertionError(f"{name} does not stand this input: {data!r}") from error


def test_every_input_that_ever_crashed_belongs_to_a_target() -> None:
    assert {path.name for path in REGRESSIONS.iterdir()} <= set(TARGETS)


def test_an_input_that_takes_too_long_is_a_finding() -> None:
    def busy(_: bytes) -> None:
        until_s = time.process_time() + LONGEST_S * 1.1
        while time.process_time() < until_s:
            pass

    with pytest.raises(TooSlow):
        checked(Target(busy, list), b"")


def test_what_a_parser_lets_out_is_a_finding() -> None:
    def broken(data: bytes) -> None:
        assert 1 / len(data)

    with pytest.raises(ZeroDivisionError):
        checked(Target(broken, list), b"")

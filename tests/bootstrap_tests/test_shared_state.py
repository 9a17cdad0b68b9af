from typing import Any, cast

import pytest

from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from bootstrap.shared_state import SharedState


class Spy:
    """Stands for each part; notes what it was asked, and fails at `away`."""

    def __init__(self, away: str = "") -> None:
        self.away = away
        self.asked: list[str] = []

    @property
    def executor(self) -> "Spy":
        return self

    def __getattr__(self, name: str) -> Any:
        async def ask() -> None:
            self.asked.append(name)
            if name == self.away:
                raise StateUnavailable("away")

        return ask


def shared_state(spy: Spy) -> SharedState:
    part = cast("Any", spy)
    clock = ManualClock()
    return SharedState(
        store=part, routing=part, events=part, usage_events=part, registry=part, prober=part, clock=clock
    )


async def test_a_gateway_loads_scripts_and_looks_around_before_its_first_request() -> None:
    spy = Spy()

    await shared_state(spy).open()

    assert spy.asked == ["load", "look", "announce"]


@pytest.mark.parametrize("away", ["load", "look"])
async def test_a_store_that_is_away_keeps_no_gateway_from_starting(away: str) -> None:
    spy = Spy(away)

    await shared_state(spy).open()

    assert spy.asked[-1] == "announce"


async def test_what_was_reported_and_announced_is_sent_at_the_end() -> None:
    spy = Spy()

    await shared_state(spy).close()

    assert spy.asked == ["settle", "flush", "flush"]

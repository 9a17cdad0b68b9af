"""A mark in Lua and the same mark in Python: equal replies to the same random history."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.budget.charge import LARGEST_NANO
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

DAY_US = 86_400_000_000
ODD_US = 1_800_000_000_123_457  # so that the last digits of times matter
ODD_NUMBER = 7_123_456_789_012_345
ANOTHER = "0123456789abcdef0123456789abcdef01234567"

# condition, number, age_us; or what happens to the data
ASKING = st.tuples(
    st.sampled_from(["never", "lower", "unvouched"]),
    st.sampled_from([0, 1, 2, ODD_NUMBER, ODD_NUMBER + 1, LARGEST_NANO]),
    st.sampled_from([0, 1, DAY_US]),
)
EVENTS = st.sampled_from(["lost", "another history"])
WAITS = st.sampled_from([1, DAY_US - 1, DAY_US, 7 * DAY_US - 1, 7 * DAY_US])
HISTORIES = st.lists(ASKING | ASKING | EVENTS | WAITS, max_size=25)


@dataclass
class Mark:
    """As the header of the script says it."""

    history: str
    number: int = 0
    since_us: int = 0
    expires_us: int = 0
    written_by: str | None = None

    def ask(self, now_us: int, condition: str, number: int, age_us: int) -> list[object]:
        if self.expires_us <= now_us:
            self.number, self.since_us, self.written_by = 0, now_us, None
        vouched = self.written_by == self.history
        met = {"never": False, "unvouched": not vouched, "lower": self.written_by is not None and self.number < number}
        if met[condition] and number > self.number:
            self.number, self.since_us = number, now_us - age_us
        if met[condition] and condition == "unvouched":
            self.written_by, vouched = self.history, True
        if met[condition] or (vouched and self.expires_us - now_us < 6 * DAY_US):
            self.expires_us = now_us + 7 * DAY_US
        return [self.number, max(0, now_us - self.since_us), int(vouched), self.history.encode()]


Step = tuple[str, int, int] | str | int


async def replay(server: OneServer, steps: list[Step]) -> None:
    key, now_us = f"{server.new_prefix()}{{e:0}}:budget-epoch", ODD_US
    history = (await server.executor.call("budget/epoch", [key], (now_us, "never", 0, 0)))[3].decode()
    model = Mark(history)
    for step in steps:
        match step:
            case int():
                now_us += step
            case "lost":
                await server.executor.command("DEL", key)
                model = Mark(history)
            case str():
                stored = await server.executor.command("GET", key)
                if stored is not None:
                    await server.executor.command("SET", key, f"{stored.decode()[:-40]}{ANOTHER}", "KEEPTTL")
                    model.written_by = ANOTHER
            case _:
                said = await server.executor.call("budget/epoch", [key], (now_us, *step))
                assert said == model.ask(now_us, *step), step
                left_ms = await server.executor.command("PTTL", key)
                assert left_ms == -2 or 0 < left_ms <= 7 * DAY_US // 1_000


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as started:
        yield started


@settings(max_examples=examples(300))
@given(steps=HISTORIES)
def test_a_mark_answers_the_same_in_python_and_in_lua(server: OneServer, steps: list[Step]) -> None:
    server.run(replay(server, steps))

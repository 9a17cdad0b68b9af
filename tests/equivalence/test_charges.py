"""What instances are charged, over minutes: the totals that Lua keeps are those that the domain counts.

Histories here are made of the edges: seconds that leave the window, corrections of seconds that are about to, have just
left, or made room for newer ones, and pauses as long as the window and the ring.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import CONFIG, instance
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.routing import Routing
from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf
from tests.equivalence.one_server import OneServer, one_server
from tests.examples import examples

HISTORIES = examples(200)
# Longer than any history, so that seconds are corrected which have long left the window.
LEASE_US = 3_600 * SECOND_US
MEMBERS = (instance("requests", rpm=6), instance("tokens", tpm=200), instance("neither"))

GAPS_US = st.one_of(
    st.just(0),
    st.sampled_from([1, SECOND_US - 1, SECOND_US, 3 * SECOND_US, 4 * SECOND_US, 5 * SECOND_US]),
    st.sampled_from([n * SECOND_US for n in (30, 59, 60, 61, 62, 63, 64, 65)] + [61 * SECOND_US - 1]),
    st.integers(0, 20 * SECOND_US),
)
# verb, which of the members or of what is held, gap before the step, tokens
VERBS = ("take", "take", "take", "take", "end", "end", "withdraw")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS), st.integers(0, 11), GAPS_US, st.sampled_from([0, 1, 40, 60, 200, 201, 10**15 + 1])
    ),
    min_size=20,
    max_size=40,
)
Step = tuple[str, int, int, int]


@pytest.fixture(scope="module")
def server() -> Iterator[OneServer]:
    with one_server() as running:
        yield running


@dataclass
class Side:
    """One adapter, and the attempts that it admitted."""

    routing: Routing
    held: list[tuple[AdmissionRequest, Admitted]] = field(default_factory=list)

    async def play(self, number: int, step: Step) -> object:
        """What it answers to the step, as far as both should."""
        verb, which, _, tokens = step
        if verb == "take":
            plan = Leaf(MEMBERS[which % len(MEMBERS)])
            request = AdmissionRequest(LeaseId(f"lease-{number}"), plan, tokens, LEASE_US)
            answer = await self.routing.admit(request)
            if isinstance(answer, Admitted):
                self.held.append((request, answer))
                return answer.bucket_s
            return answer
        if self.held:
            self._end(verb, *self.held.pop(which % len(self.held)), tokens)
        return None

    def _end(self, verb: str, request: AdmissionRequest, admitted: Admitted, tokens: int) -> None:
        if verb == "withdraw":
            self.routing.withdraw(request)
            return
        self.routing.report(
            AttemptReport(
                lease_id=request.lease_id,
                instance=admitted.instance,
                generation=admitted.generation,
                probe=admitted.probe,
                bucket_s=admitted.bucket_s,
                outcome=Outcome.IGNORED,
                latency_kind=LatencyKind.WHOLE,
                latency_us=None,
                slow=False,
                tokens_reserved=request.tokens,
                tokens_actual=tokens,
                jitter=0.5,
            )
        )

    def used(self) -> list[tuple[int, int]]:
        """What each member was charged in the last minute."""
        views = [self.routing.view(member, LatencyKind.WHOLE) for member in MEMBERS]
        return [(view.requests_used, view.tokens_used) for view in views]


async def replay(server: OneServer, start_us: int, steps: list[Step]) -> None:
    clock = ManualClock(EPOCH_US + start_us)
    shared = RedisRouting(
        server.executor, CONFIG, clock, SpyEventSink(), server.new_prefix(), now=lambda: str(clock.monotonic_us())
    )
    memory, redis = Side(MemoryRouting(CONFIG, clock, SpyEventSink())), Side(shared)
    for number, step in enumerate(steps):
        clock.advance(step[2])
        expected = await memory.play(number, step)
        assert await redis.play(number, step) == expected
        await shared.settle()
        await shared.refresh(MEMBERS)
        assert redis.used() == memory.used()


def test_the_charges_of_a_minute_are_the_same_in_memory_and_in_lua(server: OneServer) -> None:
    @settings(max_examples=HISTORIES, deadline=None)
    @given(st.integers(0, SECOND_US), STEPS)
    def histories(start_us: int, steps: list[Step]) -> None:
        server.run(replay(server, start_us, steps))

    histories()


@pytest.mark.parametrize("gap_s", [29, 30, 31, 32, 33, 34, 35])
@pytest.mark.parametrize("verb", ["end", "withdraw"])
def test_a_second_on_the_edge_of_the_window_is_corrected_as_in_memory(server: OneServer, verb: str, gap_s: int) -> None:
    # The first of three is corrected when it still counts, has left the window, or made room for the third.
    steps: list[Step] = [("take", 1, 0, 40), ("take", 1, 30 * SECOND_US, 40), ("take", 1, gap_s * SECOND_US, 40)]

    server.run(replay(server, 0, [*steps, (verb, 0, 0, 1), ("take", 1, 10 * SECOND_US, 40), (verb, 0, 0, 1)]))

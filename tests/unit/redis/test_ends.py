"""What Redis was not heard to have done is asked of it again, until it has or the lease is over anyway."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, cast

import pytest

from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.ends import AGAIN_EVERY_US, LOOKED_FOR_US, MOST_AT_ONCE, MOST_OWED, End, Ends
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.routing.wire import belated, report_words
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.words import Word
from adapters.testing.admission.harness import LEASE_US, AdmissionHarness, parallel, rpm
from adapters.testing.admission.reservation_contract import asking, desk_of
from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from domain.catalog import Instance
from domain.failure import Cooldown
from domain.identifiers import InstanceId, LeaseId, ModelName, RequestId
from domain.latency import LatencyKind
from domain.limits.admission import CallerAdmissionRequest
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.outcome import Outcome
from domain.routing.report import AttemptReport

SILENCE = None
"""An answer that does not come."""


class ScriptedExecutor:
    """Answers what it is told to, in order; in silence where nothing is left."""

    def __init__(self) -> None:
        self.answers: deque[Any] = deque()
        self.asked: list[tuple[str, str]] = []

    def post(self, name: str, _keys: Sequence[str], words: Sequence[Word]) -> Coroutine[Any, Any, Any]:
        self.asked.append((name, str(words[0])))
        return self._answer(self.answers.popleft() if self.answers else SILENCE)

    async def call(self, name: str, keys: Sequence[str], words: Sequence[Word]) -> Any:
        return await self.post(name, keys, words)

    async def _answer(self, said: Any) -> Any:
        await asyncio.sleep(0)
        if said is SILENCE:
            raise StateUnavailable("silence")
        return said


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.executor = ScriptedExecutor()
        self.breaker = StoreBreaker(self.clock)
        self.ends = Ends(cast("RedisExecutor", self.executor), self.clock, self.breaker)

    async def admit(self, lease: str = "a") -> Any:
        return await self.ends.admit(lease, "routing/admit", ["k"], [lease], lambda: withdrawal(lease))

    async def again(self, *answers: Any, after_us: int = AGAIN_EVERY_US) -> list[tuple[str, str]]:
        """What is asked of it again a little later, which it answers like that."""
        self.clock.advance(after_us)
        self.executor.asked.clear()
        self.executor.answers.extend(answers)
        await asyncio.gather(*self.ends.again(), return_exceptions=True)
        return self.executor.asked


def withdrawal(lease: str) -> End:
    return End(lease, "routing/withdraw", ["k"], [lease], until_taken=True)


def report(lease: str) -> End:
    return End(lease, "routing/report", ["k"], [lease], until_taken=False)


async def test_an_admission_without_an_answer_is_taken_back_until_it_was_found() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    assert await scene.again(SILENCE) == [("routing/withdraw", "a")]
    assert await scene.again(0) == [("routing/withdraw", "a")]
    assert await scene.again(1) == [("routing/withdraw", "a")]
    assert await scene.again() == []


async def test_an_admission_that_was_never_asked_for_is_not_taken_back() -> None:
    scene = Scene()
    scene.breaker.trip("gone")
    with pytest.raises(StateUnavailable):
        await scene.admit()
    scene.breaker.recovered()

    assert await scene.again() == []


async def test_an_admission_that_is_answered_owes_nothing_and_settles_what_was_owed_for_its_lease() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()
    scene.executor.answers.append([1])

    assert await scene.admit() == [1]
    assert await scene.again() == []


async def test_a_report_that_is_lost_is_sent_again_in_its_later_words_until_it_is_heard() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.ends.post(report("news"), lambda: report("old"))

    assert scene.executor.asked == [("routing/report", "news")]
    assert await scene.again(SILENCE) == [("routing/report", "old")]
    assert await scene.again([]) == [("routing/report", "old")]
    assert await scene.again() == []


async def test_a_withdrawal_that_is_lost_is_sent_again_and_one_that_arrives_is_not() -> None:
    scene = Scene()
    scene.executor.answers.append(0)
    assert await scene.ends.post(withdrawal("a")) == 0
    with pytest.raises(StateUnavailable):
        await scene.ends.post(withdrawal("b"))

    assert await scene.again(1) == [("routing/withdraw", "b")]


async def test_what_was_not_found_is_not_looked_for_at_every_chance() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    assert len(await scene.again(0, after_us=0)) == 1
    assert await scene.again(after_us=AGAIN_EVERY_US - 1) == []
    assert len(await scene.again(after_us=1)) == 1


async def test_what_is_lost_again_is_sent_at_the_next_chance_but_not_beside_itself() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    first = scene.ends.again()
    assert len(first) == 1
    assert scene.ends.again() == []
    await asyncio.gather(*first, return_exceptions=True)
    assert len(await scene.again(after_us=0)) == 1


async def test_nothing_is_sent_again_while_nobody_asks_redis() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    scene.breaker.trip("gone")
    assert await scene.again() == []
    scene.breaker.recovered()
    assert await scene.again() == [("routing/withdraw", "a")]


async def test_an_admission_is_looked_for_as_long_as_a_lease_lasts_from_when_redis_answers() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    assert len(await scene.again(SILENCE, after_us=3 * LOOKED_FOR_US)) == 1
    assert len(await scene.again(0, after_us=3 * LOOKED_FOR_US)) == 1
    assert len(await scene.again(0, after_us=LOOKED_FOR_US - AGAIN_EVERY_US)) == 1
    assert await scene.again(after_us=AGAIN_EVERY_US) == []


async def test_a_silence_in_between_begins_the_search_anew() -> None:
    scene = Scene()
    with pytest.raises(StateUnavailable):
        await scene.admit()

    assert len(await scene.again(0)) == 1
    assert len(await scene.again(SILENCE)) == 1
    assert len(await scene.again(1, after_us=LOOKED_FOR_US)) == 1


async def test_what_is_owed_is_bounded_and_sent_in_parts_by_turns() -> None:
    scene = Scene()
    for number in range(MOST_OWED + 1):
        with pytest.raises(StateUnavailable):
            await scene.admit(str(number))

    asked = await scene.again()
    assert [int(lease) for _, lease in asked] == list(range(1, MOST_AT_ONCE + 1))
    assert (await scene.again())[0] == ("routing/withdraw", str(MOST_AT_ONCE + 1))


def test_a_report_that_comes_late_gives_back_what_was_held_and_is_no_news_of_the_instance() -> None:
    late = AttemptReport(
        lease_id=LeaseId("a"),
        instance=Instance(InstanceId("i"), ModelName("m"), "custom", "m"),
        generation=3,
        probe=True,
        bucket_s=7,
        outcome=Outcome.FAILURE,
        latency_kind=LatencyKind.WHOLE,
        latency_us=9_000,
        slow=True,
        tokens_reserved=100,
        tokens_actual=40,
        jitter=0.5,
        cooldown=Cooldown.RATE_LIMITED,
        cooldown_us=1_000,
        cooldown_grows=True,
    )

    words = report_words(belated(late), CircuitBreakerConfig())

    assert words[:12] == ["a", 3, 7, "ignored", LatencyKind.WHOLE.value, "", 0, -60, "0.5", "", 0, 0]


async def test_what_a_caller_was_charged_unheard_is_released_and_what_ended_unheard_is_ended() -> None:
    scene = Scene()
    admission = RedisAdmission(cast("RedisExecutor", scene.executor), "p:", ends=scene.ends)
    lost = CallerAdmissionRequest(RequestId("lost"), "team", (rpm(5), parallel(2)), 0, LEASE_US)
    with pytest.raises(StateUnavailable):
        await admission.admit(lost)

    assert await scene.again(0) == [("admission/settle", "")]
    assert await scene.again(1) == [("admission/settle", "")]
    assert await scene.again() == []

    with pytest.raises(StateUnavailable):
        await admission.settle(lost, None)
    assert await scene.again(0) == [("admission/settle", "")]
    assert await scene.again() == []


async def test_what_a_caller_reserved_unheard_is_withdrawn_until_it_is_found() -> None:
    scene = Scene()
    admission = RedisAdmission(cast("RedisExecutor", scene.executor), "p:", ends=scene.ends)
    harness = AdmissionHarness(admission, scene.clock, budgets=MemoryBudgets(scene.clock))
    soft = desk_of(harness).charge("soft", 100, hard=False)
    with pytest.raises(StateUnavailable):
        await admission.admit(asking(harness, 60, (soft,)))

    assert await scene.again(0) == [("admission/withdraw", "")]
    assert await scene.again(1) == [("admission/withdraw", "")]
    assert await scene.again() == []

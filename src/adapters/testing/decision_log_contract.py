"""What every decision log does. Inherit it, and every test must pass."""

from application.ports.decision_log import DecisionLog, DecisionsWanted
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.routing.decision import (
    MOST_EXCLUSIONS,
    MOST_MODEL_CHARACTERS,
    AttemptTrace,
    Candidate,
    DecisionTrace,
    Exclusion,
    Refusal,
)


def trace_of(
    request_id: str, model: str = "m", outcome: str | None = "success", *, finished_us: int = 20
) -> DecisionTrace:
    """A trace with something of everything."""
    trace = DecisionTrace(RequestId(request_id), model, "chat", stream=False, started_us=1, outcome=outcome)
    trace.candidates.append(Candidate(1, InstanceId("a"), 5, 1_000, "closed", 0.5, latency_us=7))
    trace.exclusions.append(Refusal(InstanceId("b"), Exclusion.CIRCUIT_OPEN, 12))
    trace.attempts.append(AttemptTrace(1, ModelName("m"), InstanceId("a"), "custom", 3, admission_us=9, cost_nano=4))
    trace.models_visited.append(ModelName("m"))
    trace.finished_us, trace.cost_nano, trace.degraded = finished_us, 4, ("routing",)
    return trace


class DecisionLogContract:
    """Wants `decision_log`, empty, and `settle`: awaited, it returns when what has finished can be seen everywhere."""

    async def settle(self, decision_log: DecisionLog) -> None:
        """Nothing is to be done where nothing is shared."""

    async def test_what_was_kept_is_found_at_once(self, decision_log: DecisionLog) -> None:
        kept = trace_of("r-1", outcome=None)

        decision_log.keep(kept)

        assert await decision_log.find(RequestId("r-1")) is kept

    async def test_what_was_never_kept_is_not_found(self, decision_log: DecisionLog) -> None:
        assert await decision_log.find(RequestId("r-1")) is None
        assert await decision_log.find(RequestId("{}" * 300)) is None
        assert list(await decision_log.recent(DecisionsWanted())) == []

    async def test_the_last_thousand_are_kept_and_memory_stays_bounded(self, decision_log: DecisionLog) -> None:
        for number in range(11_000):
            decision_log.keep(trace_of(f"r-{number}", outcome=None))

        for number in range(10_000, 11_000):
            assert await decision_log.find(RequestId(f"r-{number}")) is not None
        assert await decision_log.find(RequestId("r-0")) is None

    async def test_recent_ones_come_newest_first_and_only_as_many_as_are_wanted(
        self, decision_log: DecisionLog
    ) -> None:
        await self._finish(decision_log, *(trace_of(f"r-{number}", finished_us=number) for number in range(120)))

        recent = await decision_log.recent(DecisionsWanted(limit=3))

        assert [trace.request_id for trace in recent] == ["r-119", "r-118", "r-117"]
        assert recent[0] == trace_of("r-119", finished_us=119)

    async def test_what_finished_last_comes_first_whichever_came_first_to_the_log(
        self, decision_log: DecisionLog
    ) -> None:
        await self._finish(decision_log, trace_of("r-1", finished_us=30))
        await self._finish(decision_log, trace_of("r-2", finished_us=10), trace_of("r-3", finished_us=20))

        recent = await decision_log.recent(DecisionsWanted(limit=2))

        assert [trace.request_id for trace in recent] == ["r-1", "r-3"]

    async def test_recent_ones_can_be_wanted_by_model_and_by_outcome(self, decision_log: DecisionLog) -> None:
        await self._finish(
            decision_log, trace_of("r-1"), trace_of("r-2", "other model"), trace_of("r-3", outcome="RateLimited")
        )

        by_model = await decision_log.recent(DecisionsWanted(model="other model"))
        by_outcome = await decision_log.recent(DecisionsWanted(model="m", outcome="success"))

        assert [trace.request_id for trace in by_model] == ["r-2"]
        assert [trace.request_id for trace in by_outcome] == ["r-1"]

    async def test_what_runs_still_is_found_and_is_not_among_the_recent_ones(self, decision_log: DecisionLog) -> None:
        decision_log.keep(trace_of("r-1", outcome=None))
        await self.settle(decision_log)

        assert list(await decision_log.recent(DecisionsWanted())) == []

    async def test_what_ran_for_long_is_found_when_it_has_ended(self, decision_log: DecisionLog) -> None:
        long = trace_of("long")
        decision_log.keep(long)
        await self._finish(decision_log, *(trace_of(f"r-{number}") for number in range(1_000)))

        decision_log.finished(long)

        assert await decision_log.find(RequestId("long")) is long

    async def test_what_is_far_too_long_is_remembered_shortened(self, decision_log: DecisionLog) -> None:
        long = trace_of("long", "m" * 10_000)
        long.exclusions *= MOST_EXCLUSIONS + 3
        await self._finish(decision_log, long)

        found = await decision_log.find(RequestId("long"))
        (recent,) = await decision_log.recent(DecisionsWanted())

        assert found == recent
        assert (len(recent.exclusions), recent.more_exclusions) == (MOST_EXCLUSIONS, 3)
        assert len(recent.requested_model) == MOST_MODEL_CHARACTERS
        assert len(long.exclusions) == MOST_EXCLUSIONS + 3

    async def _finish(self, decision_log: DecisionLog, *traces: DecisionTrace) -> None:
        for trace in traces:
            decision_log.keep(trace)
            decision_log.finished(trace)
        await self.settle(decision_log)

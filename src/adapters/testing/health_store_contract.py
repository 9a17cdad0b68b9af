"""The contract of HealthStore. Inherit, give it `health_store` and the `clock` it goes by, and every test must pass."""

from dataclasses import replace

from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.health_store import HealthStore
from domain.health_report import REPORT_TTL_US, HealthReport, ModelHealth
from domain.identifiers import InstanceId, ModelName

A, B, C = InstanceId("a"), InstanceId("b"), InstanceId("c")
GPT, CLAUDE = ModelName("gpt"), ModelName("claude {3}: *")
WELL = HealthReport(EPOCH_US + 123_456, reachable=True, latency_us=40_000, status=200)
DOWN = HealthReport(EPOCH_US + 123_456, reachable=False, latency_us=None, status=None, message="connection refused")
NOTHING = ModelHealth(0, 0, None)


def later(report: HealthReport, span_us: int) -> HealthReport:
    """The same result, found later."""
    return replace(report, checked_at_us=report.checked_at_us + span_us)


class HealthStoreContract:
    """Wants `health_store`, empty, and `clock`: the suite moves it. §6.3 of the audit."""

    async def test_an_instance_never_checked_has_no_report(self, health_store: HealthStore) -> None:
        assert await health_store.of_instance(A) is None
        assert await health_store.of_model(GPT) == NOTHING

    async def test_a_report_is_read_as_it_was_stored(self, health_store: HealthStore) -> None:
        refused = HealthReport(
            EPOCH_US + 1, reachable=True, latency_us=0, status=405, message="no such method \r\n{} ключ"
        )
        for instance_id, report in ((A, WELL), (B, DOWN), (C, refused)):
            await health_store.store(instance_id, GPT, report)

        assert [await health_store.of_instance(each) for each in (A, B, C)] == [WELL, DOWN, refused]

    async def test_a_report_is_believed_for_five_minutes(self, health_store: HealthStore, clock: ManualClock) -> None:
        assert REPORT_TTL_US == 300_000_000
        await health_store.store(A, GPT, WELL)

        clock.advance(REPORT_TTL_US - 1)
        assert await health_store.of_instance(A) == WELL
        assert await health_store.of_model(GPT) == ModelHealth(1, 1, 40_000)
        clock.advance(1)
        assert await health_store.of_instance(A) is None
        assert await health_store.of_model(GPT) == NOTHING

    async def test_a_model_counts_its_healthy_instances_and_averages_their_latency(
        self, health_store: HealthStore
    ) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(B, GPT, replace(WELL, latency_us=40_003))
        await health_store.store(C, GPT, replace(DOWN, latency_us=9_000_000, status=500))

        assert await health_store.of_model(GPT) == ModelHealth(healthy=2, total=3, average_latency_us=40_001)

    async def test_a_model_of_which_nobody_is_healthy_has_no_latency(self, health_store: HealthStore) -> None:
        await health_store.store(A, GPT, DOWN)

        assert await health_store.of_model(GPT) == ModelHealth(0, 1, None)

    async def test_models_do_not_know_each_other(self, health_store: HealthStore) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(B, CLAUDE, DOWN)

        assert await health_store.of_model(GPT) == ModelHealth(1, 1, 40_000)
        assert await health_store.of_model(CLAUDE) == ModelHealth(0, 1, None)

    async def test_a_later_check_replaces_an_earlier_one_and_lasts_from_then_on(
        self, health_store: HealthStore, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, WELL)
        clock.advance(REPORT_TTL_US // 2)
        await health_store.store(A, GPT, later(DOWN, 1))
        clock.advance(REPORT_TTL_US - 1)

        assert await health_store.of_instance(A) == later(DOWN, 1)
        assert await health_store.of_model(GPT) == ModelHealth(0, 1, None)

    async def test_a_check_that_is_reported_late_or_twice_changes_nothing(
        self, health_store: HealthStore, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, later(WELL, 1))
        clock.advance(REPORT_TTL_US - 1)
        await health_store.store(A, GPT, DOWN)
        await health_store.store(A, GPT, later(DOWN, 1))

        assert await health_store.of_instance(A) == later(WELL, 1)
        clock.advance(1)
        assert await health_store.of_instance(A) is None
        assert await health_store.of_model(GPT) == NOTHING

    async def test_what_is_no_longer_believed_stands_in_nobodys_way(
        self, health_store: HealthStore, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, later(WELL, REPORT_TTL_US * 10))
        clock.advance(REPORT_TTL_US)
        await health_store.store(A, GPT, DOWN)

        assert await health_store.of_instance(A) == DOWN

    async def test_one_that_is_no_longer_checked_leaves_the_model_while_others_stay(
        self, health_store: HealthStore, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(B, GPT, WELL)
        clock.advance(REPORT_TTL_US - 1)
        await health_store.store(B, GPT, later(WELL, 1))
        clock.advance(1)

        assert await health_store.of_model(GPT) == ModelHealth(1, 1, 40_000)

    async def test_an_instance_that_serves_another_model_is_counted_there(self, health_store: HealthStore) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(A, CLAUDE, later(WELL, 1))

        assert await health_store.of_model(GPT) == NOTHING
        assert await health_store.of_model(CLAUDE) == ModelHealth(1, 1, 40_000)

    async def test_a_shorter_time_to_live_of_a_late_report_takes_nothing_away(
        self, health_store: HealthStore, clock: ManualClock
    ) -> None:
        await health_store.store(A, GPT, WELL)
        await health_store.store(A, GPT, WELL, ttl_us=1)
        clock.advance(REPORT_TTL_US - 1)

        assert await health_store.of_model(GPT) == ModelHealth(1, 1, 40_000)

    async def test_a_long_message_is_cut_and_what_is_no_text_escaped(self, health_store: HealthStore) -> None:
        await health_store.store(A, GPT, replace(DOWN, message="\udcff" + "x" * 10_000))

        found = await health_store.of_instance(A)
        assert found is not None
        assert found.message == "\\udcff" + "x" * 194

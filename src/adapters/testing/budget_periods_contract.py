import pytest

from adapters.testing.budget_support import ACCOUNT, DAY_US, MINUTE_US, TTL_US, Desk, attempt
from domain.budget.answers import Balance, Orphan, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, BudgetId
from domain.budget.period import PeriodKind


class BudgetPeriodsContract:
    """Budgets as time passes: orphans, periods, and what is known of the past."""

    async def test_money_is_booked_in_the_period_it_was_reserved_in(self, desk: Desk) -> None:
        january = await desk.opened("key", 100)
        await desk.held("r", 60, january)
        period = january.of.period
        assert period.ends_us is not None
        desk.clock.advance(period.ends_us - desk.clock.now_us() - 1)
        await desk.held("at the end", 30, january)
        desk.clock.advance(MINUTE_US)
        february = desk.charge("key", 100)
        assert february.of.period.id != period.id
        await desk.held("r2", 70, february)

        await desk.settle("at the end", 20)

        assert await desk.money(january.of) == (20, 0)
        assert await desk.money(february.of) == (0, 70)

    async def test_an_orphan_counts_for_a_day_more(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)
        expires_us = desk.clock.now_us() + TTL_US

        desk.clock.advance(TTL_US - 1)
        assert (await desk.budgets.inspect(ACCOUNT, ())).orphans == ()
        desk.clock.advance(1)
        assert (await desk.budgets.inspect(ACCOUNT, ())).orphans == (Orphan(attempt("r"), 60, expires_us),)
        desk.clock.advance(DAY_US - 1)
        assert isinstance(await desk.reserve("r2", 41, key), Refused)
        desk.clock.advance(1)
        await desk.held("r3", 100, key)

        assert (await desk.budgets.inspect(ACCOUNT, ())).orphans == ()
        assert await desk.money(key.of) == (0, 100)

    async def test_open_attempts_are_listed_until_they_end_or_are_dropped(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("ended", 10, key)
        await desk.held("orphan", 10, key)
        desk.clock.advance(TTL_US)
        for name in ("b", "a"):
            await desk.held(name, 10, key)
        await desk.settle("ended", 1)

        assert list(await desk.budgets.open_attempts(ACCOUNT)) == [attempt("orphan"), attempt("a"), attempt("b")]

        desk.clock.advance(DAY_US - 1)
        assert len(await desk.budgets.open_attempts(ACCOUNT)) == 3
        desk.clock.advance(1)
        assert list(await desk.budgets.open_attempts(ACCOUNT)) == [attempt("a"), attempt("b")]
        assert list(await desk.budgets.open_attempts(AccountId("another"))) == []

    async def test_more_than_a_sweep_of_overdue_attempts_is_not_listed(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        for number in range(120):
            await desk.held(f"r{number}", 0, key)
        assert len(await desk.budgets.open_attempts(ACCOUNT)) == 120

        desk.clock.advance(TTL_US + DAY_US)

        assert list(await desk.budgets.open_attempts(ACCOUNT)) == []

    async def test_an_orphan_is_settled_within_the_day_and_not_after(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r1", 10, key)
        await desk.held("r2", 20, key)
        desk.clock.advance(TTL_US + DAY_US - 1)
        assert await desk.settle("r1", 7) is not None

        desk.clock.advance(1)

        assert await desk.settle("r2", 15) is None
        assert await desk.release("r2") is None
        assert await desk.money(key.of) == (7, 0)

    async def test_an_end_is_remembered_for_two_minutes_and_counts_once_after_that_too(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r", 60, key)
        first = await desk.settle("r", 25)

        desk.clock.advance(2 * MINUTE_US - 1)
        assert await desk.settle("r", 25) == first
        desk.clock.advance(1)
        assert await desk.settle("r", 25) is None

        assert await desk.money(key.of) == (25, 0)

    async def test_a_hundred_orphans_are_all_dropped_in_the_end(self, desk: Desk) -> None:
        key = await desk.opened("key", 10_000)
        for number in range(120):
            await desk.held(f"r{number:03d}", 10, key)
        desk.clock.advance(TTL_US)
        assert len((await desk.budgets.inspect(ACCOUNT, ())).orphans) == 100

        desk.clock.advance(DAY_US)

        assert [await desk.money(key.of) for _ in range(3)] == [(0, 700), (0, 200), (0, 0)]

    async def test_an_overdue_attempt_that_asks_again_is_counted_once(self, desk: Desk) -> None:
        key = await desk.opened("key", 10_000)
        for number in range(120):
            await desk.held(f"r{number:03d}", 10, key)
        desk.clock.advance(TTL_US + DAY_US)

        await desk.held("r119", 3, key)
        for _ in range(3):
            await desk.budgets.inspect(ACCOUNT, ())

        assert await desk.money(key.of) == (0, 3)

    async def test_a_hard_budget_admits_nothing_before_its_past_is_known(self, desk: Desk) -> None:
        key, soft, team = desk.charge("key", 100), desk.charge("soft", 100, hard=False), desk.charge("team", 100)

        assert await desk.reserve("r", 60, key, soft, team) == Unverified((BudgetId("key"), BudgetId("team")))
        await desk.reseed(key.of, 50)
        assert isinstance(await desk.reserve("r", 60, key, soft, team), Refused)
        assert await desk.reserve("r", 50, key, soft, team) == Unverified((BudgetId("team"),))
        await desk.reseed(team.of, 0)

        held = await desk.held("r", 50, key, soft, team)
        assert [standing.verified for standing in held.standings] == [True, False, True]

    async def test_a_soft_budget_admits_while_its_past_is_unknown(self, desk: Desk) -> None:
        soft = desk.charge("soft", 100, hard=False)
        await desk.held("r", 60, soft)
        await desk.settle("r", 60)

        assert await desk.reseed(soft.of, 500) == Balance(500, 0, 1)

    async def test_reseeding_lifts_and_never_adds_or_lowers(self, desk: Desk) -> None:
        key = await desk.opened("key", 100, settled_nano=40)
        await desk.held("r", 10, key)

        assert await desk.reseed(key.of, 40) == Balance(40, 10, 1)
        assert await desk.reseed(key.of, 30) == Balance(40, 10, 1)
        assert await desk.reseed(key.of, 70) == Balance(70, 10, 1)
        assert await desk.balance(key.of) == Balance(70, 10, 1)

    async def test_a_new_epoch_makes_a_budget_unverified_until_it_is_reseeded(self, desk: Desk) -> None:
        key = await desk.opened("key", 100)
        await desk.held("r1", 10, key)

        assert await desk.reserve("r2", 10, key, epoch=2) == Unverified((BudgetId("key"),))
        assert await desk.reseed(key.of, 0, epoch=2) == Balance(0, 10, 2)

        await desk.held("r2", 10, key, epoch=2)
        assert await desk.reseed(key.of, 0, epoch=1) == Balance(0, 20, 2)
        await desk.held("r3", 10, key, epoch=1)

    async def test_a_period_that_begins_under_a_verified_budget_is_verified(self, desk: Desk) -> None:
        await desk.reseed(desk.of("key", PeriodKind.DAILY), 100)
        desk.clock.advance(DAY_US)

        await desk.held("r", 100, desk.charge("key", 100, PeriodKind.DAILY))

        assert isinstance(await desk.reserve("r2", 1, desk.charge("key", 100, PeriodKind.MONTHLY)), Unverified)

    async def test_an_older_period_is_verified_for_itself(self, desk: Desk) -> None:
        yesterday = desk.charge("key", 100, PeriodKind.DAILY)
        desk.clock.advance(DAY_US)
        today = desk.charge("key", 100, PeriodKind.DAILY)
        await desk.reseed(yesterday.of, 0)

        assert isinstance(await desk.reserve("r1", 1, today), Unverified)
        await desk.reseed(today.of, 0)
        await desk.held("r2", 1, today)

    async def test_a_period_that_begins_at_the_instant_of_verification_is_verified(self, desk: Desk) -> None:
        yesterday = desk.of("key", PeriodKind.DAILY)
        desk.clock.advance((yesterday.period.ends_us or 0) - desk.clock.now_us())
        await desk.reseed(yesterday, 0)

        await desk.held("r", 1, desk.charge("key", 100, PeriodKind.DAILY))

    async def test_the_first_period_of_a_new_epoch_is_reseeded(self, desk: Desk) -> None:
        await desk.reseed(desk.of("key", PeriodKind.DAILY), 0, epoch=1)
        desk.clock.advance(DAY_US)
        today = desk.charge("key", 100, PeriodKind.DAILY)

        assert isinstance(await desk.reserve("r", 1, today, epoch=2), Unverified)
        await desk.reseed(today.of, 0, epoch=2)
        desk.clock.advance(DAY_US)

        await desk.held("r", 1, desk.charge("key", 100, PeriodKind.DAILY), epoch=2)

    async def test_a_period_begun_after_a_week_without_use_is_unverified(self, desk: Desk) -> None:
        await desk.reseed(desk.of("key", PeriodKind.DAILY), 0)
        to_the_end_us = (desk.of("key", PeriodKind.DAILY).period.ends_us or 0) - desk.clock.now_us()
        desk.clock.advance(to_the_end_us + 7 * DAY_US - 1)
        await desk.held("r1", 1, desk.charge("key", 100, PeriodKind.DAILY))
        desk.clock.advance(7 * DAY_US + 1)

        assert isinstance(await desk.reserve("r2", 1, desk.charge("key", 100, PeriodKind.DAILY)), Unverified)

    @pytest.mark.parametrize(
        ("kind", "idle_us", "answer"),
        [
            (PeriodKind.TOTAL, 7 * DAY_US - 1, Reserved),
            (PeriodKind.TOTAL, 7 * DAY_US, Unverified),
            (PeriodKind.YEARLY, 300 * DAY_US, Reserved),
        ],
    )
    async def test_a_balance_lasts_until_its_period_is_over_or_a_week_after_its_last_use(
        self, desk: Desk, kind: PeriodKind, idle_us: int, answer: type[Reserved | Unverified | Resolved]
    ) -> None:
        key = desk.charge("key", 100, kind)
        await desk.reseed(key.of, 30)

        desk.clock.advance(idle_us)

        assert type(await desk.reserve("r", 70, key)) is answer

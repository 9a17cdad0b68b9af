"""Who checks which instance when: the audit's section 6.2, over several gateways in virtual time."""

import asyncio
import logging
from collections import deque
from dataclasses import replace
from itertools import pairwise

import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import StateUnavailable
from application.health.health_rounds import CHECKS_AT_ONCE
from domain.catalog import Catalog, RouterPolicy
from domain.failure import FailureKind
from domain.identifiers import InstanceId
from domain.lock import Held
from tests.unit.health.fleet import MODEL, Fleet, member

INTERVAL_S = 30.0
DOWN = fails(FailureKind.SERVER_ERROR, status=503)


def gaps(times_s: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times_s)]


@pytest.mark.parametrize("size", [1, 4])
def test_audit_6_2_an_instance_is_checked_once_an_interval_by_the_whole_fleet(size: int) -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a"), member("b")], size)
        async with fleet.checking():
            await asyncio.sleep(100 * INTERVAL_S)
        for name in "ab":
            found = gaps(fleet.checks_of(name))
            assert 80 <= len(found) <= 105
            assert min(found) >= 0.9 * INTERVAL_S
            assert max(found) <= 1.35 * INTERVAL_S

    run_virtual(scenario())


def test_intervals_are_jittered() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")])
        async with fleet.checking():
            await asyncio.sleep(50 * INTERVAL_S)
        found = gaps(fleet.checks_of("a"))
        assert min(found) < 0.95 * INTERVAL_S
        assert 1.05 * INTERVAL_S < max(found) <= 1.13 * INTERVAL_S

    run_virtual(scenario())


def test_the_first_check_comes_soon_after_the_start() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")])
        async with fleet.checking():
            await asyncio.sleep(INTERVAL_S / 3)
        assert len(fleet.checks_of("a")) == 1

    run_virtual(scenario())


def test_a_gateway_that_died_is_replaced_within_about_an_interval() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")], size=2)
        fleet.upstreams[InstanceId("a")].otherwise = Act(delay_us=1_000_000)
        async with fleet.checking():
            await fleet.upstreams[InstanceId("a")].was_asked.wait()
            # Which one it was: the other one has nothing to do yet.
            dead = next(task for task, rounds in zip(fleet.running, fleet.rounds, strict=True) if rounds._turns)
            dead.cancel()
            await asyncio.sleep(1.4 * INTERVAL_S)
        assert len(fleet.checks_of("a")) == 2
        assert (await fleet.health.of_model(MODEL)).healthy == 1

    run_virtual(scenario())


def test_gateways_that_do_not_check_hear_of_it() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")], size=3)
        fleet.upstreams[InstanceId("a")].checks = deque([DOWN])
        async with fleet.checking():
            await asyncio.sleep(0.7 * INTERVAL_S)
            known = [rounds.known[InstanceId("a")] for rounds in fleet.rounds]
        assert len(fleet.checks_of("a")) == 1
        assert [(report.reachable, report.status) for report in known] == [(False, 503)] * 3

    run_virtual(scenario())


def test_only_so_many_are_checked_at_once_and_all_have_their_turn() -> None:
    async def scenario() -> None:
        names = [f"i{number}" for number in range(3 * CHECKS_AT_ONCE)]
        fleet = Fleet([member(name) for name in names])
        shared = fleet.upstreams[InstanceId("i0")]
        shared.otherwise = Act(delay_us=4_000_000)
        fleet.upstreams.update(dict.fromkeys(fleet.upstreams, shared))
        async with fleet.checking():
            await asyncio.sleep(0.9 * INTERVAL_S)
        assert shared.most_running == CHECKS_AT_ONCE
        # Nobody who waits for room stands in the queue twice.
        assert (shared.checked, len(fleet.lock.asked)) == (len(names), len(names))

    run_virtual(scenario())


def test_a_process_that_was_stopped_for_an_hour_checks_once_and_not_for_each_interval() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")])
        async with fleet.checking():
            await asyncio.sleep(INTERVAL_S)
            before = len(fleet.checks_of("a"))
            # The loop sees the time jump, as after SIGSTOP and SIGCONT.
            fleet.lock.asked.clear()
            asyncio.get_running_loop()._jumping.now_s += 3_600  # type: ignore[attr-defined]
            await asyncio.sleep(INTERVAL_S / 4)
            assert len(fleet.checks_of("a")) == before + 1
            assert len(fleet.lock.asked) == 1

    run_virtual(scenario())


@pytest.mark.parametrize("step_s", [-3_600, 3_600])
def test_a_gateway_whose_clock_is_set_goes_on_as_before(step_s: int) -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")], size=2)
        async with fleet.checking():
            await asyncio.sleep(5 * INTERVAL_S)
            fleet.clocks[0].step(step_s * 1_000_000)
            await asyncio.sleep(5 * INTERVAL_S)
            at_us = fleet.clock.now_us()
            report = await fleet.health.of_instance(InstanceId("a"))
        found = gaps(fleet.checks_of("a"))
        assert min(found) >= 0.9 * INTERVAL_S
        assert max(found) <= 1.35 * INTERVAL_S
        assert report is not None
        assert at_us - 1.4 * INTERVAL_S * 1_000_000 <= report.checked_at_us <= at_us

    run_virtual(scenario())


def test_disabled_instances_are_not_checked_and_new_ones_are() -> None:
    async def scenario() -> None:
        a, b = member("a"), member("b")
        fleet = Fleet([a, replace(b, enabled=False)])
        async with fleet.checking():
            await asyncio.sleep(2 * INTERVAL_S)
            assert fleet.checks_of("b") == []
            assert set(fleet.rounds[0].known) == {"a"}
            reloaded = MemoryCatalogSource(Catalog({MODEL: (replace(a, enabled=False), b)}), RouterPolicy())
            fleet.rounds[0]._catalog_source = reloaded
            before = len(fleet.checks_of("a"))
            await asyncio.sleep(INTERVAL_S)
            assert set(fleet.rounds[0].known) == {"b"}
        assert len(fleet.checks_of("a")) == before
        assert len(fleet.checks_of("b")) == 1

    run_virtual(scenario())


def test_instances_that_leave_while_they_wait_for_room_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        names = [f"i{number}" for number in range(2 * CHECKS_AT_ONCE)]
        fleet = Fleet([member(name) for name in names])
        for upstream in fleet.upstreams.values():
            upstream.otherwise = Act(delay_us=60_000_000)
        async with fleet.checking():
            await asyncio.sleep(0.3 * INTERVAL_S)
            fleet.upstreams.clear()
            fleet.source.replace(Catalog({MODEL: ()}), RouterPolicy())
            asked = len(fleet.lock.asked)
            await asyncio.sleep(INTERVAL_S)
            assert len(fleet.lock.asked) == asked == CHECKS_AT_ONCE
            assert fleet.rounds[0].known == {}

    run_virtual(scenario())
    assert caplog.messages == []


def test_instance_that_leaves_while_its_lock_is_asked_for_is_passed_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")])

        async def reloaded(*_: object) -> Held:
            fleet.upstreams.clear()
            fleet.source.replace(Catalog({MODEL: ()}), RouterPolicy())
            return Held(1)

        monkeypatch.setattr(fleet.lock, "acquire", reloaded)
        async with fleet.checking():
            await asyncio.sleep(INTERVAL_S)
        assert fleet.rounds[0].known == {}

    run_virtual(scenario())
    assert caplog.messages == []


def test_while_the_store_is_away_nothing_is_checked_and_that_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a"), member("b")])

        async def away(_name: str, _owner: str, _ttl_us: int) -> Held | None:
            raise StateUnavailable("redis is away")

        async with fleet.checking():
            with monkeypatch.context() as patched:
                patched.setattr(fleet.lock, "acquire", away)
                await asyncio.sleep(10 * INTERVAL_S)
                assert fleet.checks_of("a") == []
            await asyncio.sleep(INTERVAL_S)
        assert len(fleet.checks_of("a")) >= 1

    with caplog.at_level(logging.WARNING, "moongate.health"):
        run_virtual(scenario())
    assert caplog.messages == [
        "health checks rest while the shared state is away (redis is away)",
        "health checks go on",
    ]


def test_one_instance_that_breaks_its_check_leaves_the_others_theirs(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a"), member("b")])
        del fleet.upstreams[InstanceId("a")]
        async with fleet.checking():
            await asyncio.sleep(3 * INTERVAL_S)
        assert len(fleet.checks_of("b")) >= 2

    run_virtual(scenario())
    assert {record.getMessage() for record in caplog.records} == {"instance a can't be checked"}


def test_checks_under_way_end_with_the_gateway() -> None:
    async def scenario() -> None:
        fleet = Fleet([member("a")])
        fleet.upstreams[InstanceId("a")].otherwise = Act(hang=True)
        async with fleet.checking():
            await fleet.upstreams[InstanceId("a")].was_asked.wait()
        assert fleet.upstreams[InstanceId("a")].running == 0
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scenario())

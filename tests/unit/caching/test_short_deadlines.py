"""What one who has little time does to those who ask the same and have more."""

import asyncio

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import UpstreamError
from domain.durations import SECOND_US
from domain.failure import FailureKind
from tests.unit.caching.fleet import CachingGateway, SharedReplies, content_of

MS_US = SECOND_US // 1_000


def test_a_pause_that_the_leader_had_no_time_for_is_nobody_elses_error() -> None:
    async def scenario() -> None:
        gateway = CachingGateway(SharedReplies())
        for name in ("a", "b", "w"):
            upstream = gateway.upstream(name)
            upstream.otherwise = Act(text="served")
            upstream.script.append(fails(FailureKind.SERVER_ERROR, status=500, delay_us=15 * MS_US))
        hasty = asyncio.create_task(gateway.complete(timeout_us=50 * MS_US))
        await gateway.clock.sleep(MS_US)
        patient = asyncio.create_task(gateway.complete(timeout_us=60 * SECOND_US))
        with pytest.raises(UpstreamError):
            await hasty
        assert content_of(await patient) == "served"

    run_virtual(scenario())


def test_a_failure_that_no_time_would_have_mended_is_told_to_all() -> None:
    async def scenario(others: int) -> int:
        gateway = CachingGateway(SharedReplies())
        for name in ("a", "b", "w"):
            gateway.upstream(name).otherwise = fails(FailureKind.SERVER_ERROR, status=500, delay_us=15 * MS_US)
        leader = asyncio.create_task(gateway.complete())
        await gateway.clock.sleep(MS_US)
        errors = await asyncio.gather(leader, *(gateway.complete() for _ in range(others)), return_exceptions=True)
        assert all(isinstance(error, UpstreamError) for error in errors)
        return gateway.calls

    assert run_virtual(scenario(5)) == run_virtual(scenario(0))

import pytest

from adapters.outbound.system.clock import SystemClock
from adapters.testing.small_contracts import ClockContract
from adapters.testing.virtual_time import ManualClock, VirtualClock, run_virtual
from application.ports.clock import Clock


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestManualClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return ManualClock()


def test_a_virtual_clock_passes_hours_at_once_and_keeps_their_order() -> None:
    async def scenario() -> tuple[int, int]:
        clock = VirtualClock()
        before = clock.now_us()
        await clock.sleep(3_600_000_000)
        return clock.monotonic_us(), clock.now_us() - before

    assert run_virtual(scenario()) == (3_600_000_000, 3_600_000_000)


def test_stepping_the_wall_clock_leaves_monotonic_time_alone() -> None:
    async def scenario() -> tuple[int, int]:
        clock = VirtualClock()
        wall, monotonic = clock.now_us(), clock.monotonic_us()
        clock.step(-5_000_000)
        return clock.now_us() - wall, clock.monotonic_us() - monotonic

    assert run_virtual(scenario()) == (-5_000_000, 0)

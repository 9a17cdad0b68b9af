import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.testing.admission.harness import LEASE_US, AdmissionHarness, parallel, rpm, tpm
from adapters.testing.virtual_time import ManualClock
from domain.durations import MINUTE_US
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.limits.limit import LARGEST_LIMIT, Algorithm, Limit, LimitKind


@pytest.mark.parametrize("number", [0, -1, LARGEST_LIMIT + 1])
def test_a_limit_that_cannot_be_counted_does_not_construct(number: int) -> None:
    with pytest.raises(ValueError, match="expected a limit from 1 to"):
        rpm(number)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [(LimitKind.PARALLEL, Algorithm.SLIDING_WINDOW), (LimitKind.TOKENS, Algorithm.LEASES)],
)
def test_slots_are_leases_and_nothing_else_is(kind: LimitKind, algorithm: Algorithm) -> None:
    with pytest.raises(ValueError, match="counted by leases"):
        Limit("name", kind, 1, algorithm)


@pytest.mark.parametrize(
    ("limits", "tokens", "lease_us"),
    [((rpm(1), rpm(2)), 0, 1), ((), -1, 1), ((), 0, 0)],
)
def test_a_request_that_makes_no_sense_does_not_construct(
    limits: tuple[Limit, ...], tokens: int, lease_us: int
) -> None:
    with pytest.raises(ValueError, match=r"two limits of one name|expected tokens >= 0"):
        CallerAdmissionRequest(RequestId("r"), "account", limits, tokens, lease_us)


async def test_memory_forgets_callers_that_are_not_heard_of_any_more() -> None:
    clock = ManualClock()
    admission = MemoryAdmission(clock)
    harness = AdmissionHarness(admission, clock)
    for number in range(500):
        await harness.take(rpm(1), tpm(5), tokens=1, account=f"address-{number}")
    clock.advance(5 * MINUTE_US)

    for _ in range(500):
        await harness.admit(rpm(1), account="one that stays")

    assert (len(admission._meters), len(admission._touched_us), len(admission._held)) == (1, 1, 1)


async def test_memory_keeps_slots_that_are_held_for_however_long() -> None:
    clock = ManualClock()
    harness = AdmissionHarness(MemoryAdmission(clock), clock)
    request = CallerAdmissionRequest(RequestId("long"), "busy", (parallel(1),), 0, 60 * MINUTE_US)
    await harness.admission.admit(request)
    clock.advance(30 * MINUTE_US)

    for _ in range(10):
        await harness.admit(rpm(100), account="another")

    assert not isinstance(await harness.admit(parallel(1), account="busy"), CallerAdmitted)


async def test_memory_lets_no_step_of_the_wall_clock_in() -> None:
    class SteppedClock(ManualClock):
        step_us = 0

        def now_us(self) -> int:
            return super().now_us() + self.step_us

    clock = SteppedClock()
    harness = AdmissionHarness(MemoryAdmission(clock), clock)
    await harness.take(rpm(1))

    clock.step_us = -LEASE_US
    await harness.refused(rpm(1))
    clock.step_us = 2 * MINUTE_US

    await harness.refused(rpm(1))

from dataclasses import dataclass, field

import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.testing.admission.harness import AdmissionHarness, parallel, rpm, tpm
from adapters.testing.virtual_time import ManualClock
from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.degrading_admission import DegradingAdmission
from application.degrading.store_failure import OnStoreFailure
from application.errors import StateUnavailable
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer


class SharedAdmission(MemoryAdmission):
    """Works, and can be away."""

    away = False

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        self._refuse_when_away()
        return await super().admit(request)

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        self._refuse_when_away()
        await super().settle(request, actual_tokens)

    async def release(self, request: CallerAdmissionRequest) -> None:
        self._refuse_when_away()
        await super().release(request)

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        self._refuse_when_away()
        return await super().renew(request)

    def _refuse_when_away(self) -> None:
        if self.away:
            raise StateUnavailable("away")


@dataclass
class StubRegistry:
    gateways: int | None = 1

    async def announce(self) -> None: ...

    async def leave(self) -> None: ...

    def count(self) -> int | None:
        return self.gateways


@dataclass
class World:
    policy: OnStoreFailure = OnStoreFailure.DEGRADE
    budget_policy: OnStoreFailure = OnStoreFailure.CLOSED
    registry: StubRegistry = field(default_factory=StubRegistry)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        accounts = BudgetAccounts()
        self.shared = SharedAdmission(self.clock, accounts)
        budgets = BudgetsAlone(self.budget_policy, self.registry, self.clock)
        self.admission = DegradingAdmission(
            self.shared, MemoryAdmission(self.clock), self.registry, self.policy, budgets
        )
        budgets_there = MemoryBudgets(self.clock, accounts)
        self.harness = AdmissionHarness(self.admission, self.clock, budgets=budgets_there)
        self.of_shared = AdmissionHarness(self.shared, self.clock, name="shared")


async def test_while_the_store_is_up_nothing_is_degraded() -> None:
    answer = await World().harness.admit(rpm(1))

    assert isinstance(answer, CallerAdmitted)
    assert not answer.degraded


@pytest.mark.parametrize(("limit", "gateways", "share"), [(100, 4, 25), (10, 4, 3), (1, 50, 1), (6, 1, 6)])
async def test_a_gateway_on_its_own_enforces_its_share_and_tells_the_whole_limit(
    limit: int, gateways: int, share: int
) -> None:
    world = World(registry=StubRegistry(gateways))
    world.shared.away = True
    for _ in range(share):
        answer = await world.harness.admit(rpm(limit))
        assert isinstance(answer, CallerAdmitted)
        assert answer.degraded

    refused = await world.harness.refused(rpm(limit))

    assert (refused.limit.limit, refused.degraded) == (limit, True)


async def test_a_request_larger_than_the_share_of_tokens_passes_where_nothing_else_did() -> None:
    world = World(registry=StubRegistry(4))
    world.shared.away = True

    await world.harness.take(tpm(100), tokens=100)

    await world.harness.refused(tpm(100), tokens=1)


async def test_an_open_policy_admits_everything_and_says_so() -> None:
    world = World(OnStoreFailure.OPEN)
    world.shared.away = True

    for _ in range(5):
        request = world.harness.request(rpm(1))
        answer = await world.admission.admit(request)
        assert isinstance(answer, CallerAdmitted)
        assert (answer.degraded, answer.standings) == (True, ())
        assert await world.admission.renew(request)
        await world.admission.settle(request, None)

    assert world.admission._held == {}


async def test_a_closed_policy_refuses_what_it_can_not_decide() -> None:
    world = World(OnStoreFailure.CLOSED)
    world.shared.away = True

    with pytest.raises(StateUnavailable):
        await world.harness.admit(rpm(1))


async def test_a_store_that_was_never_met_leaves_no_share_to_enforce() -> None:
    world = World(registry=StubRegistry(None))
    world.shared.away = True

    with pytest.raises(StateUnavailable):
        await world.harness.admit(rpm(1))


async def test_what_was_admitted_locally_is_ended_locally_and_charges_nothing_shared() -> None:
    world = World()
    world.shared.away = True
    held = await world.harness.take(parallel(1))
    world.shared.away = False

    await world.admission.settle(held, None)

    assert await world.of_shared.left(parallel(1)) == 1
    world.shared.away = True
    await world.harness.take(parallel(1))


async def test_ending_what_the_shared_store_admitted_never_fails() -> None:
    world = World()
    held = [await world.harness.take(parallel(3)) for _ in range(3)]
    world.shared.away = True

    await world.admission.settle(held[0], None)
    await world.admission.release(held[1])

    assert await world.admission.renew(held[2])


async def test_nothing_local_is_merged_into_the_shared_counters() -> None:
    world = World()
    world.shared.away = True
    for _ in range(5):
        await world.harness.take(rpm(10))
    world.shared.away = False

    assert await world.of_shared.left(rpm(10)) == 10


async def test_a_store_that_fails_every_other_time_opens_no_new_window_each_time() -> None:
    world = World()
    admitted = 0
    for _ in range(20):
        world.shared.away = True
        admitted += isinstance(await world.harness.admit(rpm(3)), CallerAdmitted)
        world.shared.away = False
        await world.harness.admit(rpm(1, name="another"))

    assert admitted == 3


async def test_what_has_ended_leaves_nothing_behind() -> None:
    world = World()
    world.shared.away = True
    for number in range(100):
        request = await world.harness.take(rpm(1_000))
        await (world.admission.settle(request, None) if number % 2 else world.admission.release(request))

    assert world.admission._held == {}

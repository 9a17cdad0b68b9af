"""The contract holds whoever decides: the shared admission, or this gateway alone."""

import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.testing.admission_contract import AdmissionContract, AdmissionHarness, LimitContract
from adapters.testing.virtual_time import ManualClock
from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.degrading_admission import DegradingAdmission
from application.degrading.store_failure import OnStoreFailure
from application.errors import StateUnavailable
from domain.limits.admission import CallerAdmissionRequest, CallerAnswer


class AwayAdmission(MemoryAdmission):
    """Is never reached."""

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        if not request.limits and request.reservation is None:
            return await super().admit(request)
        raise StateUnavailable(f"away: {request.request_id}")

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        raise StateUnavailable(f"away: {request.request_id} {actual_tokens}")

    async def release(self, request: CallerAdmissionRequest) -> None:
        raise StateUnavailable(f"away: {request.request_id}")

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        raise StateUnavailable(f"away: {request.request_id}")


def harness_of(shared: type[MemoryAdmission]) -> AdmissionHarness:
    clock = ManualClock()
    registry = MemoryGatewayRegistry()
    budgets = BudgetsAlone(OnStoreFailure.CLOSED, registry, clock)
    accounts = BudgetAccounts()
    local = MemoryAdmission(clock)
    admission = DegradingAdmission(shared(clock, accounts), local, registry, OnStoreFailure.DEGRADE, budgets)
    return AdmissionHarness(admission, clock, budgets=MemoryBudgets(clock, accounts))


class TestDegradingAdmissionWhileTheStoreIsUp(AdmissionContract):
    @pytest.fixture
    def harness(self) -> AdmissionHarness:
        return harness_of(MemoryAdmission)


class TestDegradingAdmissionWhileTheStoreIsDown(LimitContract):
    @pytest.fixture
    def harness(self) -> AdmissionHarness:
        return harness_of(AwayAdmission)

"""The contract holds whoever decides: the shared admission, or this gateway alone."""

import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.testing.admission_contract import AdmissionContract, AdmissionHarness
from adapters.testing.virtual_time import ManualClock
from application.degrading_admission import DegradingAdmission
from application.errors import StateUnavailable
from application.store_failure import OnStoreFailure
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerRefused


class AwayAdmission(MemoryAdmission):
    """Is never reached."""

    async def admit(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        if not request.limits:
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
    admission = DegradingAdmission(
        shared(clock), MemoryAdmission(clock), MemoryGatewayRegistry(), OnStoreFailure.DEGRADE
    )
    return AdmissionHarness(admission, clock)


class TestDegradingAdmissionWhileTheStoreIsUp(AdmissionContract):
    @pytest.fixture
    def harness(self) -> AdmissionHarness:
        return harness_of(MemoryAdmission)


class TestDegradingAdmissionWhileTheStoreIsDown(AdmissionContract):
    @pytest.fixture
    def harness(self) -> AdmissionHarness:
        return harness_of(AwayAdmission)

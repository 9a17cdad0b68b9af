"""The contract of the CallerAdmission port. Inherit it, give it a `harness`, and every test must pass.

class TestMyAdmission(AdmissionContract):
@pytest.fixture
def harness(self) -> AdmissionHarness: ...
"""

from adapters.testing.admission.decision_contract import DecisionContract
from adapters.testing.admission.harness import AdmissionHarness
from adapters.testing.admission.minute_contract import MinuteContract
from adapters.testing.admission.reservation_contract import ReservationContract

__all__ = ["AdmissionContract", "AdmissionHarness", "LimitContract"]


class LimitContract(DecisionContract, MinuteContract):
    """What concerns limits alone."""


class AdmissionContract(LimitContract, ReservationContract):
    """All of it. The harness has the budgets beside the admission."""

"""The contract of the CallerAdmission port. Inherit it, give it a `harness`, and every test must pass.

class TestMyAdmission(AdmissionContract):
@pytest.fixture
def harness(self) -> AdmissionHarness: ...
"""

from adapters.testing.admission.decision_contract import DecisionContract
from adapters.testing.admission.harness import AdmissionHarness
from adapters.testing.admission.minute_contract import MinuteContract

__all__ = ["AdmissionContract", "AdmissionHarness"]


class AdmissionContract(DecisionContract, MinuteContract):
    """All of it."""

"""The contract of the Routing port. Inherit it, give it a `harness`, and every test must pass.

class TestMyRouting(RoutingContract):
@pytest.fixture
def harness(self) -> RoutingHarness: ...
"""

from adapters.testing.routing.circuit_contract import CircuitContract
from adapters.testing.routing.harness import CONFIG, RoutingHarness
from adapters.testing.routing.latency_contract import LatencyContract
from adapters.testing.routing.limit_contract import LimitContract
from adapters.testing.routing.plan_contract import PlanContract
from adapters.testing.routing.withdrawal_contract import WithdrawalContract

__all__ = ["CONFIG", "RoutingContract", "RoutingHarness"]


class RoutingContract(PlanContract, LimitContract, CircuitContract, LatencyContract, WithdrawalContract):
    """All of it."""

from application.degrading.store_failure import FORGET_AFTER_US, OnStoreFailure
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from domain.budget.allowance import Allowance
from domain.budget.charge import Reservation


class BudgetsAlone:
    """What this gateway lets attempts cost while the shared budgets do not answer. Nothing is reserved then.

    CLOSED: nothing that a hard budget counts. OPEN: anything. DEGRADE: out of a small allowance for each hard budget
    and outage, of which every gateway has its part; what was taken of it is not given back. Soft budgets refuse
    nothing, whatever the policy. An outage is over when the store has answered for a minute: one that fails every other
    time makes no new allowances.
    """

    def __init__(self, policy: OnStoreFailure, registry: GatewayRegistry, clock: Clock) -> None:
        self._policy = policy
        self._registry = registry
        self._clock = clock
        self._allowance = Allowance()
        self._heard_since_us: int | None = None

    def reconfigure(self, policy: OnStoreFailure) -> None:
        """Another policy is in force."""
        self._policy = policy

    def take(self, asked: Reservation) -> None:
        """Lets the attempt run, once for each call.

        Raises:
            StateUnavailable: It must not: the policy is closed, or nothing is left of an allowance.
        """
        self._heard_since_us = None
        if self._policy is OnStoreFailure.OPEN or not any(charge.hard for charge in asked.charges):
            return
        if self._policy is OnStoreFailure.CLOSED:
            raise StateUnavailable("budgets can not be checked: the shared state does not answer")
        gateways = self._registry.count()
        if gateways is None:
            raise StateUnavailable("budgets can not be checked: the shared state has not answered since the start")
        spent = self._allowance.take(asked.charges, asked.amount_nano, gateways)
        if spent is not None:
            raise StateUnavailable(
                f"the budget {spent} can not be checked, and nothing is left to spend without: "
                "the shared state does not answer"
            )

    def heard(self) -> None:
        """The store has answered."""
        if not self._allowance:
            return
        now_us = self._clock.monotonic_us()
        if self._heard_since_us is None:
            self._heard_since_us = now_us
        elif now_us - self._heard_since_us > FORGET_AFTER_US:
            self._allowance = Allowance()

from typing import Protocol

from domain.catalog import Instance
from domain.identifiers import InstanceId, LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import Transition
from domain.routing.admission import AdmissionRequest, Admitted, InstanceView, NotAdmitted
from domain.routing.report import AttemptReport


class Routing(Protocol):
    """The state that decides which instance serves an attempt: circuits, cooldowns, limits, turns, latency, load.

    `admit` and `report` are atomic over everything they touch, in one step, whatever else happens at the same time.
    Both are idempotent by lease id: repeated, `admit` answers as before and `report` changes nothing.
    """

    def view(self, instance: Instance) -> InstanceView:
        """The local snapshot of one instance; no I/O."""
        ...

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        """Takes the first instance of the plan that circuit, cooldown and limits allow.

        Charges its rpm, tpm and a lease, takes a probe permit where the circuit is not closed, and steps the
        round-robin states on the way to it. A refused request changes nothing.
        """
        ...

    async def renew(self, leases: dict[LeaseId, InstanceId], lease_us: int) -> None:
        """Extends leases that still exist."""
        ...

    async def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        """Feeds a success into the estimate and the percentiles, before the attempt ends (a stream's first content)."""
        ...

    async def report(self, report: AttemptReport) -> Transition | None:
        """Gives back lease and probe permit, settles tokens, feeds circuit, cooldown and latency.

        Returns the circuit's transition, if it made one. A report of an older generation moves no circuit.
        """
        ...

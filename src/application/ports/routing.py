from collections.abc import Mapping
from typing import Protocol

from domain.catalog import Catalog, Instance
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport


class Routing(Protocol):
    """The state that decides which instance serves an attempt: circuits, cooldowns, limits, turns, latency, load.

    `admit`, `withdraw` and `report` are atomic over everything they touch, in one step, whatever else happens at the
    same time, and idempotent by lease id: repeated, `admit` answers as before and the others change nothing. Circuits
    that change state are announced to the event sink.
    """

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        """The local snapshot of one instance; no I/O. An instance never heard of is healthy and idle."""
        ...

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        """Takes the first instance of the plan that circuit, cooldown and limits allow.

        Charges its rpm, tpm and a lease, takes a probe permit where the circuit is not closed, and steps the
        round-robin states on the way to it. A refused request changes nothing.
        """
        ...

    def withdraw(self, request: AdmissionRequest) -> None:
        """Undoes an admission whose attempt never ran; `request` is the one that was admitted.

        Lease and probe permit are given back, rpm and tpm are uncharged where they were charged, and the round-robins
        get back what it took of them, so that other requests go where they had gone without it. A circuit that
        half-opened for it stays so. A lease that is not held (refused, reported, expired, withdrawn) changes nothing;
        admitted again under the same lease id, it is decided anew. Never blocks and never fails, as `report`, and has
        taken effect before the next `admit` of this process; what a store that is away did not hear it is told when it
        is back, or the lease expires.
        """
        ...

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        """Extends the leases that still live, and their probe permits, to `lease_us` from now."""
        ...

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        """Feeds a success into estimate and percentiles before its attempt ends (a stream's first content)."""
        ...

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        """Another configuration is in force. What is known of instances stays: circuits go by `breaker` from now on.

        What this process keeps of instances that are not in `catalog` is forgotten as soon as they are idle. Never
        blocks and never fails.
        """
        ...

    def report(self, report: AttemptReport) -> None:
        """Gives back lease and probe permit, settles tokens, feeds circuit, cooldown and latency.

        Never blocks and never fails, so that it can't be lost to a cancelled request. It has taken effect before the
        next `admit` of this process. A report of an older circuit generation moves no circuit.
        """
        ...

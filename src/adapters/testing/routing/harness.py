"""What the suites of the Routing port work with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import ManualClock
from application.ports.routing import Routing
from domain.catalog import Instance, InstanceLimits
from domain.durations import SECOND_US
from domain.failure import Cooldown
from domain.identifiers import InstanceId, LeaseId, ModelName
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf, Node, Ordered, Weighted

CONFIG = CircuitBreakerConfig()
LEASE_US = 30 * SECOND_US
WHOLE = LatencyKind.WHOLE


def instance(name: str, *, rpm: int | None = None, tpm: int | None = None, max_parallel: int | None = None) -> Instance:
    """An instance of the model `m`."""
    limits = InstanceLimits(rpm, tpm, max_parallel)
    return Instance(InstanceId(name), ModelName("m"), "custom", "upstream", limits=limits)


A, B, C = instance("a"), instance("b"), instance("c")


@dataclass
class RoutingHarness:
    """A Routing with `CONFIG`, and what it hangs on. The suite moves the clock.

    `catch_up(instances)` returns when reports have taken effect and the local snapshot of `instances` is fresh; an
    adapter whose state is local needs none.
    """

    routing: Routing
    clock: ManualClock
    events: SpyEventSink
    catch_up: Callable[[Sequence[Instance]], Awaitable[None]] | None = None
    taken: int = 0

    async def view(self, member: Instance, kind: LatencyKind = WHOLE) -> InstanceView:
        """What is known of `member`, after everything that was reported."""
        await self._catch_up(member)
        return self.routing.view(member, kind)

    async def _catch_up(self, *members: Instance) -> None:
        if self.catch_up is not None:
            await self.catch_up(members)

    async def admit(self, plan: Node, *, tokens: int = 0, lease: str | None = None) -> Admitted | NotAdmitted:
        """One admission under a lease of its own."""
        self.taken += 1
        await self._catch_up()
        lease_id = LeaseId(lease or f"lease-{self.taken}")
        return await self.routing.admit(AdmissionRequest(lease_id, plan, tokens, LEASE_US))

    async def take(self, plan: Node, *, tokens: int = 0, lease: str | None = None) -> "Held":
        """One admission that must succeed."""
        answer = await self.admit(plan, tokens=tokens, lease=lease)
        assert isinstance(answer, Admitted), answer
        return Held(self, LeaseId(lease or f"lease-{self.taken}"), answer, tokens, plan)

    async def refused(self, plan: Node, *, tokens: int = 0) -> NotAdmitted:
        """One admission that must be refused."""
        answer = await self.admit(plan, tokens=tokens)
        assert isinstance(answer, NotAdmitted), answer
        return answer

    async def fail(self, member: Instance, times: int, *, jitter: float = 1.0) -> None:
        """Lets `member` fail, one attempt after the other. Jitter 1 opens for the whole open time."""
        for _ in range(times):
            (await self.take(Leaf(member))).end(Outcome.FAILURE, jitter=jitter)

    async def circuit(self, member: Instance) -> CircuitState:
        """The state of its circuit."""
        return (await self.view(member)).circuit


@dataclass
class Held:
    """An admitted attempt."""

    harness: RoutingHarness
    lease_id: LeaseId
    admitted: Admitted
    tokens: int
    plan: Node

    def withdraw(self) -> None:
        """Undoes it: it never ran."""
        self.harness.routing.withdraw(AdmissionRequest(self.lease_id, self.plan, self.tokens, LEASE_US))

    def end(
        self,
        outcome: Outcome = Outcome.SUCCESS,
        *,
        latency_us: int | None = None,
        tokens: int | None = None,
        slow: bool = False,
        jitter: float = 1.0,
        cooldown: Cooldown | None = None,
        cooldown_us: int = 0,
        cooldown_grows: bool = False,
    ) -> None:
        """Reports it."""
        self.harness.routing.report(
            AttemptReport(
                self.lease_id,
                self.admitted.instance,
                self.admitted.generation,
                self.admitted.probe,
                self.admitted.bucket_s,
                outcome,
                WHOLE,
                latency_us,
                slow,
                self.tokens,
                tokens,
                jitter,
                cooldown,
                cooldown_us,
                cooldown_grows,
            )
        )


def weighted(*members: tuple[Instance, int], key: str = "k") -> Weighted:
    """A round-robin over instances."""
    return Weighted(key, tuple((str(member.id), weight, Leaf(member)) for member, weight in members))


def ordered(*members: Instance) -> Ordered:
    """One after the other."""
    return Ordered(tuple(Leaf(member) for member in members))

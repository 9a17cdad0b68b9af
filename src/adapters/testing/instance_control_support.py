"""What the suite of the InstanceControl port works with."""

from dataclasses import dataclass

from adapters.testing.routing.harness import A, RoutingHarness
from application.ports.instance_control import InstanceControl
from domain.durations import MINUTE_US
from domain.routing.decision import Exclusion
from domain.routing.instance_report import InstanceReport
from domain.routing.strategy import Leaf


@dataclass
class Controlled:
    """Two gateways that share their state: each an InstanceControl and a Routing, both with one clock.

    What one is asked, the other must show and obey. `control` publishes to the sink of `routing`, `other_control` to
    that of `other_routing`. Where state is local to a process, both stand in it.
    """

    control: InstanceControl
    routing: RoutingHarness
    other_control: InstanceControl
    other_routing: RoutingHarness

    def __post_init__(self) -> None:
        # Leases of two gateways never have one name.
        self.other_routing.taken += 1_000_000
        # Minutes are counted from the epoch: the suite's begin at their beginning.
        self.routing.clock.advance(-self.routing.clock.now_us() % MINUTE_US)

    async def arrive(self) -> None:
        """Returns when everything that was reported has taken effect."""
        await self.routing.view(A)
        await self.other_routing.view(A)

    async def report(self) -> InstanceReport:
        """What both gateways tell of the instance A, with everything in it that was reported before."""
        await self.arrive()
        (found,) = await self.control.inspect([A])
        assert await self.other_control.inspect([A]) == [found]
        return found

    async def exclusion(self, *, last_resort: bool = False) -> Exclusion | None:
        """Why the other gateway can't take A; None where it did."""
        await self.arrive()
        answer = await self.other_routing.admit(Leaf(A, last_resort))
        return answer.refusals[0].reason if answer.refusals else None

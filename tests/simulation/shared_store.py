"""What gateways share, in one place that forgets when it is told to."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import VirtualClock
from application.ports.budget_epoch import BudgetEpoch
from application.ports.budget_roll import ROLL_KEPT_US
from domain.budget.epoch import Said
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from tests.simulation.caller_oracle import CallerOracle, StreamOracle
from tests.simulation.instance_oracle import InstanceOracle


class Contents:
    """All that is lost with the store."""

    def __init__(
        self,
        breaker: CircuitBreakerConfig,
        clock: VirtualClock,
        events: SpyEventSink,
        violated: Callable[[str], None],
    ) -> None:
        accounts = BudgetAccounts()
        self.accounts = accounts
        self.routing = MemoryRouting(breaker, clock, events)
        self.admission = MemoryAdmission(clock, accounts)
        self.budgets = MemoryBudgets(clock, accounts)
        self.lock = MemoryLock(clock)
        self.stream = MemoryUsageStream(clock)
        self.instance_oracle = InstanceOracle(self.routing, breaker, clock, violated)
        self.caller_oracle = CallerOracle(self.admission, clock, violated)
        self.stream_oracle = StreamOracle(self.stream, violated)
        self.said: dict[str, tuple[int, int]] = {}


@dataclass
class SharedStore:
    """The contents now, with oracles that tell `violated` what they find.

    `losses`: when something of it was lost, by monotonic time in microseconds.
    """

    breaker: CircuitBreakerConfig
    violated: Callable[[str], None]
    clock: VirtualClock = field(default_factory=VirtualClock)
    events: SpyEventSink = field(default_factory=SpyEventSink)
    losses: list[int] = field(default_factory=list)
    alive: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = Contents(self.breaker, self.clock, self.events, self.violated)
        self._epoch, self._since_us = 1, -3_600 * SECOND_US

    def picture(self) -> Contents:
        """The contents as they are, to go back to."""
        fixed = (self.clock, self.events, self.breaker, self.violated)
        return copy.deepcopy(self.now, {id(one): one for one in fixed})

    def lose(self, back_to: Contents | None = None) -> None:
        """Everything, or everything since `back_to`."""
        self.now = back_to or Contents(self.breaker, self.clock, self.events, self.violated)
        self._epoch, self._since_us = self._epoch + 1, self.clock.monotonic_us()
        self.losses.append(self._since_us)

    def epoch(self) -> BudgetEpoch:
        """As the servers' marks would say."""
        return BudgetEpoch(self._epoch, self.clock.monotonic_us() - self._since_us)

    def answer_roll(self, name: str, epoch: int) -> dict[str, Said]:
        """Says that `name` has brought back what it had at `epoch`."""
        now_us = self.clock.monotonic_us()
        said = self.now.said
        said[name] = (epoch, now_us)
        for gone in [other for other, (_, at_us) in said.items() if now_us - at_us >= ROLL_KEPT_US]:
            del said[gone]
        return {other: Said(number, now_us - at_us) for other, (number, at_us) in said.items()}

    def announce(self, name: str, live_us: int) -> int:
        """Counts `name` among those that live; how many these are."""
        now_us = self.clock.monotonic_us()
        self.alive[name] = now_us
        self.alive = {other: at_us for other, at_us in self.alive.items() if now_us - at_us < live_us}
        return len(self.alive)

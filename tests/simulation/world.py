"""One run: gateways, clients, faults and what is true in the end, all decided by one seed."""

import asyncio
import hashlib
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.system import locked_file
from adapters.testing.doubles import SeededRandomness, SpyEventSink
from adapters.testing.virtual_time import EPOCH_US, VirtualClock
from bootstrap.settings import Settings, parse_settings
from domain.budget.period import PeriodKind
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.catalog import WEIGHT_SCALE, Catalog, Instance, InstanceLimits, RouterPolicy
from domain.events import CircuitChanged, Event
from domain.identifiers import InstanceId, ModelName
from domain.pricing import Prices
from domain.resilience.circuit import CircuitState
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.strategy import StrategyName
from tests.simulation.disk import Disk
from tests.simulation.link import Link
from tests.simulation.shared_store import SharedStore
from tests.simulation.sightings import Sightings, states
from tests.simulation.simulated_gateway import SimulatedGateway
from tests.simulation.simulated_loop import SimulatedLoop
from tests.simulation.upstream import Upstream

PRICE = 1_000_000
MOST_PARALLEL = 8
_BLAMED_FOR_S = 65.0
_SHARED_MEMORY = Path("/dev/shm")


@dataclass
class Told:
    """What a run comes to."""

    seed: int
    virtual_s: float = 0.0
    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    met: Sightings = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    trace: str = ""


def simulated_settings() -> Settings:
    """Those of every gateway."""
    return parse_settings({"cache": {"enabled": False}, "observability": {"metrics": False}}, environ={}).settings


class World:
    """What all parts of a run share."""

    def __init__(self, seed: int, directory: Path, disk: Disk) -> None:
        self.seed, self.directory = seed, directory
        self.disk: Disk = disk
        self.chance = random.Random(f"world {seed}")
        self.told = Told(seed)
        self._trace = hashlib.blake2b(digest_size=12)
        self.settings = simulated_settings()
        self.breaker = CircuitBreakerConfig()
        self.store = SharedStore(self.breaker, self.violated, events=_WatchedEvents(self))
        self.ledger = MemoryLedger()
        names = ["a", "b", "c"][: self.chance.randint(1, 3)]
        self.upstreams: dict[str, Upstream] = {name: Upstream(name, random.Random(f"{name} {seed}")) for name in names}
        self.catalog = self.drawn_catalog()
        strategy = self.chance.choice(list(StrategyName))
        self.policy = RouterPolicy(strategy=strategy, max_deadline_us=30_000_000, breaker=self.breaker)
        self.gateways: dict[str, SimulatedGateway] = {}
        self.lives: Counter[str] = Counter()
        self.crashed_requests: set[str] = set()
        self.budgets = _budgets(self.chance)

    @property
    def loop(self) -> SimulatedLoop:
        """The loop that this runs on."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        return loop

    def drawn_catalog(self) -> Catalog:
        """One instance for each upstream, with weights and limits of their own."""
        instances = (
            _instance(name, self.chance.randint(1, 3), self.chance.randint(4, MOST_PARALLEL)) for name in self.upstreams
        )
        return Catalog({ModelName("m"): tuple(instances)})

    def note(self, what: str, name: str) -> None:
        """Something has happened: it is part of the trace."""
        self._trace.update(f"{self.loop.time():.6f} {what} {name}\n".encode())

    def fault(self, name: str) -> None:
        """A fault was put in."""
        self.told.faults[name] += 1
        self.told.met.update((name, state) for state in states(self))
        self.note("fault", name)

    def violated(self, invariant: str) -> None:
        """Something that must never be."""
        self.told.violations.append(f"at {self.loop.time():.3f} s: {invariant}")

    def trace(self) -> str:
        """Of all that was noted."""
        return self._trace.hexdigest()

    async def start(self, name: str) -> SimulatedGateway:
        """A new life of the gateway of that name."""
        self.lives[name] += 1
        life = f"{name}.{self.lives[name]}"
        folder = self.directory / name
        folder.mkdir(exist_ok=True)
        clock = VirtualClock(EPOCH_US + self.chance.randint(-5_000_000, 5_000_000))
        gateway = SimulatedGateway(
            life,
            self.settings,
            self.catalog,
            self.policy,
            {InstanceId(one): upstream for one, upstream in self.upstreams.items()},
            self.store,
            self.ledger,
            Link(random.Random(f"store {life} {self.seed}"), self.heard_of),
            Link(random.Random(f"ledger {life} {self.seed}"), self.note),
            folder,
            clock,
            SeededRandomness(self.chance.getrandbits(32)),
            self.budgets,
        )
        self.gateways[name] = gateway
        self.note("starts", life)
        await gateway.start()
        return gateway

    def heard_of(self, what: str, name: str) -> None:
        """What a link tells of a message to the store."""
        self.note(what, name)
        if what not in {"done", "dead"}:
            self.told.faults[f"message {what}"] += 1

    async def crash(self, name: str, *, torn: bool) -> None:
        """Kills the gateway of that name."""
        gateway = self.gateways[name]
        numbers = self.disk.kill(gateway.directory)
        await gateway.die(self.loop)
        self.disk.release(numbers)
        if torn and self.disk.tear(gateway.directory):
            self.fault("torn write")


class _WatchedEvents(SpyEventSink):
    """What the store announces, looked at when it does."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def publish(self, event: Event) -> None:
        super().publish(event)
        if not isinstance(event, CircuitChanged) or event.transition.after is not CircuitState.OPEN:
            return
        quiet_s = self._world.loop.time() - self._world.upstreams[event.instance_id].failed_s
        if quiet_s > _BLAMED_FOR_S:
            self._world.violated(f"the circuit of {event.instance_id} opened {quiet_s:.0f} s after its last failure")


def _budgets(chance: random.Random) -> tuple[BudgetTerms, ...]:
    """Of three teams: one has enough, one will have spent all of it, and one is only told so."""
    amounts = {"rich": 10**9, "poor": chance.randint(300, 5_000), "soft": 2_000}
    return tuple(
        BudgetTerms(BudgetOwner(OwnerKind.TEAM, team), nano, PeriodKind.MONTHLY, hard=team != "soft")
        for team, nano in amounts.items()
    )


def _instance(name: str, weight: int, max_parallel: int) -> Instance:
    return Instance(
        InstanceId(name),
        ModelName("m"),
        "custom",
        f"upstream-{name}",
        weight_milli=weight * WEIGHT_SCALE,
        own_prices=Prices(PRICE, PRICE),
        max_output_tokens=20,
        limits=InstanceLimits(max_parallel=max_parallel),
    )


@contextmanager
def simulated_disk() -> Iterator[tuple[Path, Disk]]:
    """A folder for the journals of all gateways, and the disk that it is on."""
    disk = Disk()
    home = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="moongate-simulation-", dir=home))
    replaced: Any = locked_file
    real, replaced.os = replaced.os, disk
    try:
        yield directory, disk
    finally:
        replaced.os = real
        disk.close_all()
        shutil.rmtree(directory)

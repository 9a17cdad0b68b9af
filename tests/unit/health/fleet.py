"""Gateways that check the instances of one catalog, over one store, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.health_store import MemoryHealthStore
from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.lock import MemoryLock
from adapters.testing.doubles import FakeProviderDirectory, SeededRandomness, SpyEventSink
from adapters.testing.routing.harness import A
from adapters.testing.scripted_provider import ScriptedProvider
from adapters.testing.virtual_time import VirtualClock
from application.health.health_rounds import HealthRounds
from application.ports.lock import Lock
from application.use_cases.check_health import CheckHealth
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.durations import SECOND_US
from domain.identifiers import InstanceId
from domain.lock import Held

INTERVAL_US = 30 * SECOND_US
MODEL = A.model_name


def member(name: str) -> Instance:
    """An instance of the one model."""
    return replace(A, id=InstanceId(name))


@dataclass
class Watched(ScriptedProvider):
    """Notes when it was checked."""

    at_s: list[float] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self) -> int | None:
        self.at_s.append(asyncio.get_running_loop().time())
        self.was_asked.set()
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await super().check()
        finally:
            self.running -= 1


@dataclass
class CountingLock:
    """A lock that counts how often it was asked, and by whom it was taken."""

    lock: Lock
    asked: list[str] = field(default_factory=list)

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        self.asked.append(name)
        return await self.lock.acquire(name, owner, ttl_us)

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        return await self.lock.extend(name, owner, ttl_us)

    async def release(self, name: str, owner: str) -> bool:
        return await self.lock.release(name, owner)


class Fleet:
    """`size` gateways whose wall clocks are minutes apart. The store has a clock of its own."""

    def __init__(self, instances: Sequence[Instance], size: int = 1, interval_us: int = INTERVAL_US) -> None:
        self.clock = VirtualClock()
        self.clocks = [VirtualClock(1_000_000 * SECOND_US + number * 7_000 * SECOND_US) for number in range(size)]
        self.source = MemoryCatalogSource(Catalog({MODEL: tuple(instances)}), RouterPolicy())
        self.upstreams = {instance.id: Watched() for instance in instances}
        self.health = MemoryHealthStore(self.clock)
        self.states = InstanceStates()
        self.events = SpyEventSink()
        self.control = MemoryInstanceControl(self.states, self.clock, self.events)
        self.lock = CountingLock(MemoryLock(self.clock))
        self.rounds = [self._gateway(number, interval_us) for number in range(size)]
        self.running: list[asyncio.Task[None]] = []

    def _gateway(self, number: int, interval_us: int) -> HealthRounds:
        clock = self.clocks[number]
        check = CheckHealth(FakeProviderDirectory(self.upstreams), self.health, self.control, clock)
        return HealthRounds(self.source, check, self.lock, clock, SeededRandomness(number), interval_us)

    @asynccontextmanager
    async def checking(self) -> AsyncIterator[None]:
        """All of them run meanwhile."""
        self.running = [asyncio.create_task(rounds.run()) for rounds in self.rounds]
        try:
            yield
        finally:
            for task in self.running:
                task.cancel()
            await asyncio.gather(*self.running, return_exceptions=True)

    def checks_of(self, name: str) -> list[float]:
        """When an instance was checked, in seconds."""
        return self.upstreams[InstanceId(name)].at_s

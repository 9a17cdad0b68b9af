"""One gateway as the composition root builds it, over links instead of sockets; it can be killed and started again."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any

from dependency_injector.providers import Object, Singleton

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.system.usage_journal import SystemUsageJournal
from adapters.testing.doubles import FakeProviderDirectory, SeededRandomness, SpyEventSink
from adapters.testing.virtual_time import VirtualClock
from application.endless import keep_going
from application.fan_out import FanOut
from application.ports.provider import Provider
from application.usage.drain_usage import DrainUsage
from application.use_cases.complete import Complete
from application.use_cases.stream import Stream
from bootstrap.container import Container
from bootstrap.settings import Settings
from bootstrap.stores import Stores
from domain.budget.charge import BudgetId
from domain.budget.terms import BudgetTerms
from domain.catalog import Catalog, RouterPolicy
from domain.identifiers import InstanceId
from domain.pages import Page
from tests.simulation.link import Link
from tests.simulation.linked_ports import (
    LinkedAdmission,
    LinkedBudgets,
    LinkedEpochs,
    LinkedLedger,
    LinkedLock,
    LinkedRoll,
    LinkedRouting,
    LinkedStream,
)
from tests.simulation.owing import Owing
from tests.simulation.shared_store import SharedStore
from tests.simulation.simulated_loop import OWNER, SimulatedLoop

_LIVE_US = 15_000_000
_ANNOUNCE_S = 5


class Registry:
    """How many gateways serve, as this one last heard."""

    def __init__(self, store: SharedStore, link: Link, name: str) -> None:
        self._store, self._link, self._name = store, link, name
        self._count: int | None = None

    async def announce(self) -> None:
        async def step() -> int:
            return self._store.announce(self._name, _LIVE_US)

        self._count = await self._link.ask("announce", step)

    async def leave(self) -> None:
        """Silence says it."""

    def count(self) -> int | None:
        return self._count


class KnownBudgets:
    """The budgets that administrators have set: what the comparison with the ledger goes by."""

    def __init__(self, budgets: Sequence[BudgetTerms]) -> None:
        self._budgets = {terms.owner.budget_id: terms for terms in budgets}

    async def get(self, kind: type[Any], item_id: str) -> Any:
        del kind
        return self._budgets.get(BudgetId(item_id))

    async def page(self, kind: type[Any], limit: int, after: str | None = None) -> Page[Any]:
        del kind, limit, after
        return Page(tuple(self._budgets.values()), None)


class SimulatedGateway:
    """One life of a gateway. `name` says which gateway and which life."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        catalog: Catalog,
        policy: RouterPolicy,
        providers: Mapping[InstanceId, Provider],
        store: SharedStore,
        ledger: MemoryLedger,
        store_link: Link,
        ledger_link: Link,
        directory: Path,
        clock: VirtualClock,
        randomness: SeededRandomness,
        budgets: Sequence[BudgetTerms],
    ) -> None:
        self.name, self.clock, self.directory = name, clock, directory
        self.links = (store_link, ledger_link)
        self.owing = Owing(store_link)
        self.registry = Registry(store, store_link, name)
        self.journal = SystemUsageJournal(directory)
        self.catalog_source = MemoryCatalogSource(catalog, policy)
        routing, admission = (kind(store, store_link, self.owing) for kind in (LinkedRouting, LinkedAdmission))
        self.container = container = Container(
            settings=settings,
            master_key="sk-simulated",
            clock=Object(clock),
            randomness=Object(randomness),
            stores=Object(Stores()),
            state=Object("redis"),
            catalog_source=Object(self.catalog_source),
            provider_directory=Object(FakeProviderDirectory(providers)),
            redis_routing=Object(routing),
            redis_admission=Object(admission),
            budgets=Object(LinkedBudgets(store, store_link)),
            budget_epochs=Object(LinkedEpochs(store, store_link)),
            budget_roll=Object(LinkedRoll(store, store_link, name)),
            lock=Object(LinkedLock(store, store_link)),
            usage_stream=Object(LinkedStream(store, store_link)),
            ledger=Object(LinkedLedger(ledger, ledger_link)),
            usage_journal=Object(self.journal),
            gateway_registry=Object(self.registry),
            admin_store=Object(KnownBudgets(budgets)),
            event_sink=Object(SpyEventSink()),
            usage_event_sink=Object(FanOut(())),
            event_metrics=Object(FanOut(())),
            decision_log=Object(MemoryDecisionLog()),
            observers=Object(()),
        )
        container.drain_usage.override(
            Singleton(
                DrainUsage,
                container.usage_stream,
                container.ledger,
                clock,
                randomness,
                name.partition(".")[0],
                on_ledgered=container.deliver_usage.provided.ledgered,
            )
        )
        self.delivery = container.deliver_usage()
        dispatch = container.dispatch()
        self.complete, self.stream = Complete(dispatch), Stream(dispatch)
        self.bookkeeping, self.gate, self.leases = container.bookkeeping(), container.caller_gate(), container.leases()
        self.works: list[asyncio.Task[Any]] = []
        self.is_serving = self.had_full_disk = False
        self.is_paused = self.was_paused = False

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this process: it is paused and killed with it."""
        context = copy_context()
        context.run(OWNER.set, self.name)
        return asyncio.get_running_loop().create_task(work, context=context)

    async def start(self) -> None:
        """Returns when it serves."""
        await self.spawn(self._start())

    async def _start(self) -> None:
        await self.bookkeeping.open()
        works = {"leases": self.leases.run, "slots": self.gate.run, "announcing": self._announce}
        for name, work in (works | self.bookkeeping.works()).items():
            self.works.append(asyncio.get_running_loop().create_task(keep_going(name, work, self.clock)))
        self.is_serving = True

    async def _announce(self) -> None:
        while True:
            try:
                await self.registry.announce()
            except Exception:  # noqa: BLE001 - the store is away; said again
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(_ANNOUNCE_S)

    def reload(self, catalog: Catalog, policy: RouterPolicy) -> None:
        """As on SIGHUP, with another configuration."""
        self.catalog_source.replace(catalog, policy)
        self.container.routing().reconfigure(policy.breaker, catalog)

    async def stop(self) -> None:
        """As on SIGTERM, when no request runs any more."""
        self.is_serving = False
        await self.spawn(self._stop())

    async def _stop(self) -> None:
        for task in self.works:
            task.cancel()
        await asyncio.gather(*self.works, return_exceptions=True)
        await self.gate.settle()
        await self.bookkeeping.close()
        await self.owing.settle()

    async def die(self, loop: SimulatedLoop) -> None:
        """All its memory is gone at once; what its links had sent may still arrive."""
        self.is_serving = False
        for link in self.links:
            link.dead = True
        while tasks := [task for task in loop.tasks.get(self.name, ()) if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)

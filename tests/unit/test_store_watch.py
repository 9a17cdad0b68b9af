"""Stores that are there, late, lost and back, as `/ready` tells of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.draining import Draining
from application.ports.store_probe import StoreProbe
from application.store_watch import StoreWatch
from application.use_cases.check_readiness import CheckReadiness
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.identifiers import InstanceId, ModelName

LOST = "does not answer; going on without it as configured"


@dataclass
class StubStore:
    answers: bool = True
    takes_s: float = 0.0
    asked: int = 0

    async def ping(self) -> bool:
        self.asked += 1
        await asyncio.sleep(self.takes_s)
        return self.answers


class StubCatalog:
    def current(self) -> tuple[Catalog, RouterPolicy]:
        usable = Instance(InstanceId("i"), ModelName("m"), "echo", "echo")
        return Catalog({ModelName("m"): (usable,)}), RouterPolicy()


def watched(scenario: Callable[[StoreWatch], Awaitable[None]], **stores: StubStore) -> None:
    probes: dict[str, StoreProbe] = {**stores}

    async def main() -> None:
        watch = StoreWatch(probes, VirtualClock())
        await watch.meet()
        running = asyncio.ensure_future(watch.run())
        await scenario(watch)
        running.cancel()

    run_virtual(main())


def now_s() -> float:
    return asyncio.get_running_loop().time()


def readiness(watch: StoreWatch) -> CheckReadiness:
    return CheckReadiness(StubCatalog(), Draining(), watch)


def test_start_waits_for_nothing_where_every_store_answers() -> None:
    async def scenario(watch: StoreWatch) -> None:
        assert now_s() == 0
        assert readiness(watch)().ready
        assert readiness(watch)().parts == {"models": "ok", "server": "ok", "redis": "ok", "database": "ok"}

    watched(scenario, redis=StubStore(), database=StubStore())


def test_gateway_without_stores_is_ready_at_once() -> None:
    async def scenario(watch: StoreWatch) -> None:
        assert now_s() == 0
        assert readiness(watch)().ready

    watched(scenario)


def test_start_goes_on_after_five_seconds_not_ready_and_naming_the_silent_store() -> None:
    async def scenario(watch: StoreWatch) -> None:
        assert 5 <= now_s() < 6.5
        assert not readiness(watch)().ready
        assert readiness(watch)().parts["database"] == "does not answer"
        assert readiness(watch)().parts["redis"] == "ok"

    watched(scenario, redis=StubStore(), database=StubStore(answers=False, takes_s=1.0))


def test_store_that_comes_late_makes_the_gateway_ready_within_two_seconds() -> None:
    late = StubStore(answers=False)

    async def scenario(watch: StoreWatch) -> None:
        await asyncio.sleep(60)
        assert not readiness(watch)().ready
        late.answers = True
        await asyncio.sleep(2)
        assert readiness(watch)().ready

    watched(scenario, redis=late)


def test_store_that_is_lost_is_named_and_leaves_the_gateway_ready() -> None:
    lost = StubStore()

    async def scenario(watch: StoreWatch) -> None:
        lost.answers = False
        await asyncio.sleep(2)
        assert readiness(watch)().ready
        assert readiness(watch)().parts["redis"] == LOST
        lost.answers = True
        await asyncio.sleep(2)
        assert readiness(watch)().parts["redis"] == "ok"

    watched(scenario, redis=lost)


def test_asking_for_readiness_asks_no_store() -> None:
    store = StubStore()

    async def scenario(watch: StoreWatch) -> None:
        before = store.asked
        for _ in range(100):
            readiness(watch)()
        assert store.asked == before

    watched(scenario, redis=store)

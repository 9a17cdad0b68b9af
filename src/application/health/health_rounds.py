import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType

from application.errors import StateUnavailable
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.lock import Lock
from application.ports.randomness import Randomness
from application.use_cases.check_health import CheckHealth
from domain.catalog import Instance
from domain.health_report import HealthReport
from domain.identifiers import InstanceId

CHECKS_AT_ONCE = 20
_TRIES_IN_AN_INTERVAL = 5
_LOOKS_IN_AN_INTERVAL = 50
_OWNER_BITS = 128

_log = logging.getLogger("moongate.health")


class HealthRounds:
    """Checks every enabled instance once in each interval, together with all gateways that share the lock.

    Whoever takes an instance's lock checks it, and does not give the lock back: it runs out when the interval, give or
    take a tenth, is over, by the clock of the store. So each instance has one check in each interval, however many
    gateways there are and whatever their clocks say, and a gateway that dies leaves nothing behind: the others try
    five times in an interval. While the store is away nothing is checked: checks are advice, and requests go on.
    """

    def __init__(
        self,
        catalog_source: CatalogSource,
        check: CheckHealth,
        lock: Lock,
        clock: Clock,
        randomness: Randomness,
        interval_us: int,
    ) -> None:
        self._catalog_source = catalog_source
        self._check = check
        self._lock = lock
        self._clock = clock
        self._randomness = randomness
        self._interval_us = interval_us
        self._due_us: dict[InstanceId, int] = {}
        self._turns: dict[InstanceId, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._known: dict[InstanceId, HealthReport] = {}
        self._is_away = False

    @property
    def known(self) -> Mapping[InstanceId, HealthReport]:
        """What this process last heard of each instance, from whoever checked it; no I/O. May be an interval old."""
        return MappingProxyType(self._known)

    async def run(self) -> None:
        """Goes on for ever; ends by cancellation."""
        try:
            while True:
                self._begin_turns(self._clock.monotonic_us())
                await self._clock.sleep(self._interval_us // _LOOKS_IN_AN_INTERVAL)
        finally:
            for turn in self._turns.values():
                turn.cancel()
            await asyncio.gather(*self._turns.values(), return_exceptions=True)

    def _begin_turns(self, now_us: int) -> None:
        wanted = {one.id: one for one in self._catalog_source.current()[0].all_instances() if one.enabled}
        for gone in self._due_us.keys() - wanted.keys():
            del self._due_us[gone]
            self._known.pop(gone, None)
        for instance_id, instance in wanted.items():
            due_us = self._due_us.setdefault(instance_id, self._soon(now_us))
            # One that was due several times, since the process was stopped, has one turn.
            if due_us <= now_us and instance_id not in self._turns:
                self._turns[instance_id] = asyncio.create_task(self._turn(instance))

    async def _turn(self, instance: Instance) -> None:
        try:
            async with self._room:
                await self._try(instance.id)
            self._tell_away(None)
        except StateUnavailable as error:
            self._tell_away(error)
        except Exception:  # noqa: BLE001 - nothing is above it; one instance must not end the checks of all
            _log.exception("instance %s can't be checked", instance.id)
        finally:
            # Where it was checked, that has said when the next one is due.
            now_us = self._clock.monotonic_us()
            if self._due_us.get(instance.id, 0) <= now_us:
                self._due_us[instance.id] = self._soon(now_us)
            self._turns.pop(instance.id, None)

    async def _try(self, instance_id: InstanceId) -> None:
        # A reload may take it away while it waits for room, and again while it waits for the lock.
        if self._wanted(instance_id) is None:
            return
        span_us = int(self._interval_us * (0.9 + 0.2 * self._randomness.draw()))
        owner = f"{self._randomness.bits(_OWNER_BITS):032x}"
        held = await self._lock.acquire(f"health:{instance_id}", owner, span_us)
        if held is None:
            self._hear(instance_id, await self._check.health.of_instance(instance_id))
            return
        self._due_us[instance_id] = self._clock.monotonic_us() + span_us
        if (instance := self._wanted(instance_id)) is not None:
            # A fence is the time of the store, or a little more: all gateways count by it.
            self._hear(instance_id, await self._check(instance, held.fence))

    def _wanted(self, instance_id: InstanceId) -> Instance | None:
        """As it is configured now; None where it is not to be checked."""
        instances = self._catalog_source.current()[0].all_instances()
        return next((one for one in instances if one.id == instance_id and one.enabled), None)

    def _hear(self, instance_id: InstanceId, report: HealthReport | None) -> None:
        if report is None:
            self._known.pop(instance_id, None)
        else:
            self._known[instance_id] = report

    def _soon(self, now_us: int) -> int:
        """When to try again, spread so that neither gateways nor instances come together."""
        return now_us + int(self._interval_us / _TRIES_IN_AN_INTERVAL * (0.5 + self._randomness.draw()))

    def _tell_away(self, error: StateUnavailable | None) -> None:
        if error is not None and not self._is_away:
            _log.warning("health checks rest while the shared state is away (%s)", error)
        elif error is None and self._is_away:
            _log.warning("health checks go on")
        self._is_away = error is not None

import asyncio
from dataclasses import dataclass

from application.errors import Conflict, InvalidRequest
from application.locking import LockTaken, hold
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.health_store import HealthStore
from application.ports.instance_control import InstanceControl
from application.ports.lock import Lock
from application.ports.provider import ProviderDirectory
from application.ports.randomness import Randomness
from application.use_cases.control_instances import find_instance
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.failure import ProviderFailed
from domain.health_report import REPORT_TTL_US, HealthReport, answered, failed, silent
from domain.identifiers import InstanceId

LONGEST_CHECK_US = 10 * SECOND_US


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """Asks an instance's provider whether it is there, and tells everybody.

    No completion is asked for: it would cost, and a reasoning model may need more tokens than a check would give it.

    Attributes:
        timeout_us: Who has not answered by then has failed.
        ttl_us: How long a report is believed.
    """

    providers: ProviderDirectory
    health: HealthStore
    instance_control: InstanceControl
    clock: Clock
    timeout_us: int = LONGEST_CHECK_US
    ttl_us: int = REPORT_TTL_US

    async def __call__(self, instance: Instance, at_us: int) -> HealthReport:
        """What came of it. A provider that answered half-opens a circuit that is open; none opens by a check.

        `at_us` is when it began, by a clock that all gateways share: a later check replaces an earlier one.

        Raises:
            StateUnavailable: The shared state can't be reached; the check was made all the same.
        """
        report = await self._ask(instance, at_us)
        if report.reachable:
            await self.instance_control.half_open(instance)
        await self.health.store(instance.id, instance.model_name, report, self.ttl_us)
        return report

    async def _ask(self, instance: Instance, at_us: int) -> HealthReport:
        provider = self.providers.provider_of(instance)
        began_us = self.clock.monotonic_us()
        try:
            async with asyncio.timeout(self.timeout_us / SECOND_US):
                status = await provider.check()
        except TimeoutError:
            return silent(at_us, self.timeout_us)
        except ProviderFailed as refusal:
            return failed(at_us, self.clock.monotonic_us() - began_us, refusal.failure)
        return answered(at_us, self.clock.monotonic_us() - began_us, status)


@dataclass(frozen=True, slots=True)
class CheckInstance:
    """Checks an instance because an operator wants to know now. It does not count as the check of an interval."""

    catalog_source: CatalogSource
    check: CheckHealth
    lock: Lock
    clock: Clock
    randomness: Randomness

    async def __call__(self, instance_id: InstanceId) -> HealthReport:
        """What came of it.

        Raises:
            InstanceNotFound: No instance has this id.
            InvalidRequest: It is disabled: it has no provider that could be asked.
            Conflict: Somebody else wanted to know, and is being answered.
            StateUnavailable: The shared state can't be reached.
        """
        self._find(instance_id)
        name = f"health-asked:{instance_id}"
        try:
            async with hold(self.lock, self.clock, self.randomness, name, LONGEST_CHECK_US) as tenure:
                # A fence is the time of the store, or a little more: all gateways count by it.
                return await self.check(self._find(instance_id), tenure.fence)
        except LockTaken:
            raise Conflict("This instance is being checked at this moment: ask again.") from None

    def _find(self, instance_id: InstanceId) -> Instance:
        instance = find_instance(self.catalog_source, instance_id)
        if not instance.enabled:
            raise InvalidRequest("This instance is disabled: its provider can't be asked.")
        return instance

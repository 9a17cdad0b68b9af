from typing import Protocol

from domain.health_report import REPORT_TTL_US, HealthReport, ModelHealth
from domain.identifiers import InstanceId, ModelName


class HealthStore(Protocol):
    """What the last active check of each instance found, shared by all gateways.

    A report is believed for `ttl_us`, by the clock of the store; then the instance is as one never checked. For people
    and for the checker: nothing is routed by it.

    Raises:
        StateUnavailable: The store does not answer; the report may have been stored. Repeated, it does no harm.
    """

    async def store(
        self, instance_id: InstanceId, model: ModelName, report: HealthReport, ttl_us: int = REPORT_TTL_US
    ) -> None:
        """Replaces what is known of an instance, unless that was checked at the same time or later.

        Atomic for the instance; its model may count it a moment later. At most 200 characters of the message are kept.
        """
        ...

    async def of_instance(self, instance_id: InstanceId) -> HealthReport | None:
        """The last report about an instance; None where there is none that is still believed."""
        ...

    async def of_model(self, model: ModelName) -> ModelHealth:
        """The instances whose last report says that they serve this model, in numbers; not one moment in time."""
        ...

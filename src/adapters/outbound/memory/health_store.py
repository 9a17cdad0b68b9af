from application.ports.clock import Clock
from application.ports.health_store import HealthStore
from domain.health_report import (
    REPORT_TTL_US,
    HealthReport,
    ModelHealth,
    StoredReport,
    bounded,
    join,
    members_now,
    read,
    store,
    summary,
)
from domain.identifiers import InstanceId, ModelName


class MemoryHealthStore:
    """Reports of this process. What is no longer believed is dropped as new reports come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reports: dict[InstanceId, StoredReport] = {}
        self._members: dict[ModelName, dict[InstanceId, int]] = {}

    async def store(
        self, instance_id: InstanceId, model: ModelName, report: HealthReport, ttl_us: int = REPORT_TTL_US
    ) -> None:
        now_us = self._clock.now_us()
        _, stored = store(self._reports.get(instance_id), now_us, model, bounded(report), ttl_us)
        self._reports = {id_: known for id_, known in self._reports.items() if read(known, now_us)}
        self._reports[instance_id] = stored
        self._members[model] = join(self._members.get(model, {}), now_us, instance_id, ttl_us)

    async def of_instance(self, instance_id: InstanceId) -> HealthReport | None:
        stored = read(self._reports.get(instance_id), self._clock.now_us())
        return None if stored is None else stored.report

    async def of_model(self, model: ModelName) -> ModelHealth:
        now_us = self._clock.now_us()
        members = members_now(self._members.get(model, {}), now_us)
        found = [read(self._reports.get(instance_id), now_us) for instance_id in members]
        return summary(stored.report for stored in found if stored is not None and stored.model == model)


_conforms: type[HealthStore] = MemoryHealthStore

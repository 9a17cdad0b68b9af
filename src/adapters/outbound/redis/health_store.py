import asyncio
from collections.abc import Sequence

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.health_store import HealthStore
from domain.health_report import REPORT_TTL_US, HealthReport, ModelHealth, bounded, summary
from domain.identifiers import InstanceId, ModelName


class RedisHealthStore:
    """Reports of all gateways. A model's health costs two round trips: its instances lie in slots of their own."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now

    async def store(
        self, instance_id: InstanceId, model: ModelName, report: HealthReport, ttl_us: int = REPORT_TTL_US
    ) -> None:
        words = [model, *_words(bounded(report)), ttl_us, self._now()]
        await asyncio.gather(
            self._executor.call("health/store", [self._report_key(instance_id)], words),
            self._executor.call("health/join", [self._members_key(model)], [instance_id, ttl_us, self._now()]),
        )

    async def of_instance(self, instance_id: InstanceId) -> HealthReport | None:
        found = await self._read(instance_id)
        return None if found is None else found[1]

    async def of_model(self, model: ModelName) -> ModelHealth:
        members = await self._executor.call("health/members", [self._members_key(model)], [self._now()])
        found = await asyncio.gather(*(self._read(InstanceId(member.decode())) for member in members))
        return summary(each[1] for each in found if each is not None and each[0] == model)

    async def _read(self, instance_id: InstanceId) -> tuple[ModelName, HealthReport] | None:
        words = await self._executor.call("health/read", [self._report_key(instance_id)], [self._now()])
        return None if words is None else (ModelName(words[0].decode()), _report(words[1:]))

    def _report_key(self, instance_id: InstanceId) -> str:
        return f"{self._prefix}{{h:{instance_id}}}"

    def _members_key(self, model: ModelName) -> str:
        return f"{self._prefix}{{hm:{model}}}"


def _words(report: HealthReport) -> list[Word]:
    optional = ("" if number is None else number for number in (report.latency_us, report.status))
    return [report.checked_at_us, int(report.reachable), *optional, report.message]


def _report(words: Sequence[bytes]) -> HealthReport:
    checked_at_us, reachable, latency_us, status, message = words
    return HealthReport(
        int(checked_at_us),
        reachable == b"1",
        int(latency_us) if latency_us else None,
        int(status) if status else None,
        message.decode(),
    )


_conforms: type[HealthStore] = RedisHealthStore

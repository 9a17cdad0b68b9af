"""What an outage was like for those who asked: counted, timed, and compared with what Redis and the log say."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import redis

from tests.e2e.gateway_process import Gateway
from tests.e2e.outage_load import Answered

RECOVERY_S = 2.0
PRICE_S = 0.150


@dataclass(frozen=True, slots=True)
class Story:
    """The answers of one load, and when Redis went and was back."""

    chats: Sequence[Answered]
    readiness: Sequence[Answered]
    began_s: float
    back_s: float

    @property
    def statuses(self) -> set[int]:
        """All that chats and `/ready` were answered with."""
        return {one.status for one in (*self.chats, *self.readiness)}

    @property
    def local(self) -> list[Answered]:
        """What was decided without Redis."""
        return [one for one in self.chats if one.degraded]

    @property
    def shared(self) -> list[Answered]:
        """What Redis decided."""
        return [one for one in self.chats if not one.degraded]

    def recovery_s(self, gateway: int) -> float:
        """From the moment Redis was back to the first request that it decided."""
        return min(one.began_s for one in self._of(gateway, self.shared) if one.began_s >= self.back_s) - self.back_s

    def struck(self) -> list[Answered]:
        """The requests that were under way in the outage, up to the recovery of their gateway."""
        until_s = {one.gateway: self.back_s + self.recovery_s(one.gateway) for one in self.chats}
        return [one for one in self.chats if one.ended_s >= self.began_s and one.began_s < until_s[one.gateway]]

    def added_s(self) -> float:
        """The 99th percentile in the outage minus the median before."""
        return percentile(self.struck(), 0.99) - self.median_before_s()

    def median_before_s(self) -> float:
        """Of the requests that were over when it began."""
        return percentile([one for one in self.chats if one.ended_s < self.began_s], 0.5)

    def machine_s(self) -> float:
        """How late a gateway was at worst with what asks no store: no fault of the outage."""
        return max(one.took_s for one in self.readiness if one.ended_s >= self.began_s)

    def shared_since(self, moment_s: float) -> int:
        """How many requests that began after that moment Redis has decided."""
        return sum(one.began_s > moment_s for one in self.shared)

    def complaints(self, gateway: int) -> set[str]:
        """What `/ready` of a gateway said of Redis."""
        return {one.redis for one in self._of(gateway, self.readiness)}

    def figures(self) -> str:
        """A line for people."""
        struck = self.struck()
        gateways = sorted({one.gateway for one in self.chats})
        failed = sum(one.status != 200 for one in self.chats)
        times = [1_000 * seconds for seconds in (self.median_before_s(), percentile(struck, 0.5), self.added_s())]
        worst_ms = 1_000 * max(one.took_s for one in struck)
        back = ", ".join(f"{self.recovery_s(gateway):.2f}" for gateway in gateways)
        return (
            f"{len(self.chats)} requests, {failed} failed, {len(struck)} in the outage, {len(self.local)} local, "
            f"p50 {times[0]:.1f} -> {times[1]:.1f} ms, p99 +{times[2]:.1f} ms, worst {worst_ms:.1f} ms, "
            f"/ready worst {1_000 * self.machine_s():.1f} ms, back after {back} s"
        )

    @staticmethod
    def _of(gateway: int, answers: Sequence[Answered]) -> list[Answered]:
        return [one for one in answers if one.gateway == gateway]


def percentile(answers: Sequence[Answered], part: float) -> float:
    """The smallest delay that at least that part of them did not exceed."""
    return sorted(one.took_s for one in answers)[ceil(part * len(answers)) - 1]


def store_lines(gateway: Gateway, from_byte: int = 0) -> list[str]:
    """What `moongate.store` wrote to the log, the part that is the same for every outage."""
    lines = gateway.log.read_bytes()[from_byte:].decode().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return [line["message"] for line in said if line["logger"] == "moongate.store"]


def ring_sum(url: str, instance_id: str) -> int:
    """Requests that the shared ring of an instance has counted; whole for the first minute of the instance's life."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        ring: dict[str, str] = client.hgetall(f"mg:v1:{{g:main}}:instance:{instance_id}:charges")
    return sum(int(text.split(" ")[1]) for place, text in ring.items() if place != "sum")


def leases(url: str, instance_id: str) -> int:
    """How many slots of an instance are taken, as Redis has it."""
    with redis.Redis.from_url(url) as client:
        return int(client.zcard(f"mg:v1:{{g:main}}:instance:{instance_id}:leases"))

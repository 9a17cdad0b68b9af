"""What a fleet keeps in Redis, looked up behind its back."""

from contextlib import closing
from typing import Any

import redis

_CLUSTER = "redis+cluster://"


class FleetState:
    """The state of instances as Redis has it. Blocks for a round trip to loopback."""

    def __init__(self, url: str, prefix: str = "mg:v1:") -> None:
        self._url = url
        self._prefix = prefix

    def circuit(self, instance_id: str) -> dict[str, str]:
        """The fields of its circuit; none where it never moved."""
        found: dict[str, str] = self._ask("HGETALL", self._key(instance_id, "circuit"))
        return found

    def leases(self, instance_id: str) -> dict[str, float]:
        """When each of its slots in use comes back by itself, in seconds since the epoch."""
        found = self._ask("ZRANGE", self._key(instance_id, "leases"), 0, -1, "WITHSCORES")
        pairs = zip(found[::2], found[1::2], strict=True) if found and not isinstance(found[0], list | tuple) else found
        return {lease: float(expires_us) / 1e6 for lease, expires_us in pairs}

    def gateways(self) -> int:
        """How many announced themselves."""
        return int(self._ask("ZCARD", f"{self._prefix}{{gateways}}"))

    def circuit_events(self) -> list[dict[str, str]]:
        """What was told of all circuits, oldest first."""
        found: list[tuple[str, dict[str, str]]] = self._ask("XRANGE", f"{self._prefix}circuit_events", "-", "+")
        return [fields for _, fields in found]

    def _key(self, instance_id: str, noun: str) -> str:
        return f"{self._prefix}{{g:main}}:instance:{instance_id}:{noun}"

    def _ask(self, *command: str | int) -> Any:
        with closing(self._client()) as client:
            return client.execute_command(*command)

    def _client(self) -> Any:
        if not self._url.startswith(_CLUSTER):
            return redis.Redis.from_url(self._url, decode_responses=True)
        host, _, port = self._url.removeprefix(_CLUSTER).split(",")[0].rpartition(":")
        return redis.RedisCluster(host=host, port=int(port), decode_responses=True)

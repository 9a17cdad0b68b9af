"""Asks a store that was down whether it serves again."""

import asyncio
from typing import Any

from redis.asyncio import RedisCluster

from adapters.outbound.redis.connection import Client
from adapters.outbound.redis.refusals import SILENCE

PLACES = 16
_PROBE_MS = 1_000
_REFRESH_PART = 5


class PingProbe:
    """Knows where the store failed last, and asks there.

    A server that is out of memory, read-only or has lost a node still answers PING. So the probe writes, for a second,
    a key of its own into the slots of those that failed.
    """

    def __init__(self, client: Client, bound_s: float) -> None:
        self._client = client
        self._bound_s = bound_s
        self._places: set[str] = set()

    def note(self, key: str) -> None:
        """A script on `key` got no answer, or was told that the store can't serve."""
        if len(self._places) < PLACES:
            head, closing, _ = key.partition("}")
            self._places.add(f"{head}{closing}:probe")

    async def is_answered(self) -> bool:
        """Whether the store serves where it did not."""
        try:
            async with asyncio.timeout(self._bound_s):
                answers = await self._ask()
        except SILENCE:
            return False
        if any(isinstance(said, Exception) for said in answers):
            return False
        self._places.clear()
        return True

    async def drop_connections(self) -> None:
        """Closes idle connections, so that the next call connects anew, to where the name now points.

        For while nobody calls: a connection that is being closed must not be taken by a call.
        """
        try:
            async with asyncio.timeout(self._bound_s):
                if isinstance(self._client, RedisCluster):
                    for node in self._client.get_nodes():
                        await node.disconnect_free_connections()
                else:
                    await self._client.connection_pool.disconnect(inuse_connections=False)
        except SILENCE:
            return  # What can't be closed is closed already.

    async def refresh_topology(self) -> None:
        """Of a Cluster, asks again which node serves what: a pipeline that fails does not make the library ask."""
        if not isinstance(self._client, RedisCluster):
            return
        try:
            async with asyncio.timeout(_REFRESH_PART * self._bound_s):
                await self._client.nodes_manager.initialize()
        except SILENCE:
            return  # No node can tell now; the next failure or probe asks again.

    async def _ask(self) -> list[Any]:
        if not self._places:
            return [await self._client.execute_command("PING")]
        pipeline: Any = self._client.pipeline(transaction=False)
        for place in self._places:
            pipeline.execute_command("SET", place, "1", "PX", _PROBE_MS)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

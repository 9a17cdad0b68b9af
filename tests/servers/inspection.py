"""What a test looks up in a server, or does to it, behind the adapters' backs."""

from typing import Any

from redis.asyncio import RedisCluster

from adapters.outbound.redis.connection import connect
from tests.servers.fixtures import PATIENT


async def keys_of(url: str, prefix: str) -> list[str]:
    """Every key that begins with `prefix`, on all nodes."""
    client: Any = connect(url, PATIENT)
    try:
        options = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(client, RedisCluster) else {}
        found = await client.execute_command("KEYS", f"{prefix}*", **options)
        lists = found.values() if isinstance(found, dict) else [found]
        return sorted(key.decode() for some in lists for key in some)
    finally:
        await client.aclose()


async def ttl_of_keys(url: str, prefix: str) -> dict[str, int]:
    """The time to live of each key that begins with `prefix`, in milliseconds; -1 for none."""
    keys = await keys_of(url, prefix)
    client: Any = connect(url, PATIENT)
    try:
        return {key: await client.execute_command("PTTL", key) for key in keys}
    finally:
        await client.aclose()


async def pause(url: str, span_ms: int) -> None:
    """Lets every node answer nobody for `span_ms`; what comes meanwhile runs after it."""
    client: Any = connect(url, PATIENT)
    try:
        options = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(client, RedisCluster) else {}
        await client.execute_command("CLIENT PAUSE", span_ms, "ALL", **options)
    finally:
        await client.aclose()

"""Gateways whose Redis is going to be lost."""

import asyncio
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from domain.durations import SECOND_US
from domain.gateways import ANNOUNCE_EVERY_US
from tests.e2e import raw_http
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway, configuration
from tests.e2e.support import eventually
from tests.servers.inspection import ttl_of_keys

PREFIX = "mg:v1:"
NO_TTL = -1
AWAY = "does not answer; going on without it as configured"
QUICK, PATIENT = "100ms", "2s"
"""Time limits of Redis: the default, and one that a busy machine does not exceed, where nothing is to be timed."""


def outage_document(
    url: str, models: Sequence[Mapping[str, object]], *, prefix: str = PREFIX, bound: str = QUICK, **sections: object
) -> dict[str, object]:
    """A configuration in full mode without Postgres."""
    redis = {"url": url, "prefix": prefix, "command_timeout": bound, "connect_timeout": bound}
    return {**configuration(models, mode="full", state="redis", redis=redis), **sections}


async def redis_said(gateway: Gateway) -> tuple[int, str]:
    """The status of `/ready`, and what it says of Redis."""
    reply = await raw_http.exchange(gateway.port, raw_http.get("/ready"))
    return reply.status, reply.json()["parts"]["redis"]


async def answered(fleet: Fleet) -> None:
    """Returns when Redis answers all gateways."""

    async def answering() -> bool:
        return set(await fleet.each(redis_said)) == {(200, "ok")}

    await eventually(answering, within_s=10, what="redis answers all gateways")


async def acquainted(size: int, url: str, prefix: str = PREFIX) -> None:
    """Returns when as many gateways have heard of each other, so that shares are what they should be."""
    async with Redis.from_url(url) as client:

        async def known() -> bool:
            return await client.zcard(f"{prefix}{{gateways}}") == size

        await eventually(known, within_s=10, what="all gateways announced themselves")
    await asyncio.sleep(ANNOUNCE_EVERY_US / SECOND_US + 0.3)  # By then each has heard of the one that came last.


async def lasting_keys(url: str, prefix: str = PREFIX) -> list[str]:
    """Keys without a time to live. One that ends while it is looked at is none."""
    return [key for key, ttl_ms in (await ttl_of_keys(url, prefix)).items() if ttl_ms == NO_TTL]

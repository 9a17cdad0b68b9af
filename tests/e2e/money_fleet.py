"""Gateways that share a Valkey and a Postgres, and what is kept there."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.fleet import PATIENT, Fleet, running_fleet
from tests.e2e.gateway_process import configuration, instance
from tests.servers.databases import own_database
from tests.servers.postgres_servers import postgres
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

# No instance is ever taken out: what fails is to fail again.
UNBREAKABLE = {"consecutive_failures": 1_000_000, "minimum_calls": 1_000_000}


@dataclass(frozen=True, slots=True)
class Servers:
    """The stores of one module."""

    valkey: RedisServer
    postgres_url: str


@dataclass(frozen=True, slots=True)
class MoneyFleet:
    """The gateways, and where their money is written down."""

    fleet: Fleet
    valkey: RedisServer
    database_url: str


@contextmanager
def money_servers() -> Iterator[Servers]:
    """A Valkey that may be killed, and a Postgres."""
    with standalone(valkey_binary()) as valkey, postgres() as database:
        yield Servers(valkey, database.url)


def money_document(
    redis_url: str,
    database_url: str,
    models: Sequence[Mapping[str, object]],
    *,
    router: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """A configuration in full mode."""
    settings = {"circuit_breaker": UNBREAKABLE, "health_check_interval": "600s", **(router or {})}
    section = {"url": redis_url, **PATIENT}
    return configuration(models, router=settings, mode="full", redis=section, database={"url": database_url})


@asynccontextmanager
async def money_fleet(
    servers: Servers,
    size: int,
    folder: Path,
    models: Sequence[Mapping[str, object]],
    router: Mapping[str, object] | None = None,
) -> AsyncIterator[MoneyFleet]:
    """`size` gateways on an empty database. The Valkey must be empty."""
    async with own_database(servers.postgres_url) as database_url:
        document = money_document(servers.valkey.url, database_url, models, router=router)
        async with running_fleet(document, size, folder) as fleet:
            yield MoneyFleet(fleet, servers.valkey, database_url)


def priced(model: str, base_url: str, *, output_usd: str) -> dict[str, object]:
    """An instance whose output alone costs anything."""
    return instance(model, base_url, input_cost_per_token="0", output_cost_per_token=output_usd)

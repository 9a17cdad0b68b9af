"""The stores that gateways share, opened as the mode asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.sql.connection import SqlDatabase
from application.ports.clock import Clock
from application.ports.store_probe import StoreProbe
from bootstrap.configuration_error import ConfigurationError
from bootstrap.database import file_database_url
from bootstrap.settings import Mode, Settings, names_postgres
from bootstrap.settings.sections import RedisSettings


@dataclass(frozen=True, slots=True)
class RedisStore:
    """The way to Redis, and the breaker around it."""

    executor: RedisExecutor
    breaker: StoreBreaker

    async def ping(self) -> bool:
        """Whether it serves: one that is full or read-only answers PING, and yet nobody asks it."""
        return not self.breaker.is_open and await self.executor.ping()


@dataclass(frozen=True, slots=True)
class Stores:
    """What was opened; None for what this mode does without."""

    redis: RedisStore | None = None
    database: SqlDatabase | None = None
    own_cache: RedisStore | None = None

    @property
    def cache(self) -> RedisStore | None:
        """Where replies are kept: in a Redis of their own, else with everything else."""
        return self.own_cache or self.redis

    @property
    def probes(self) -> Mapping[str, StoreProbe]:
        """What tells whether each of them answers."""
        found: dict[str, StoreProbe] = {}
        if self.redis is not None:
            found["redis"] = self.redis
        if self.database is not None and self.database.is_remote:
            found["database"] = self.database
        return found

    async def aclose(self) -> None:
        """Closes all of them."""
        for store in (self.redis, self.own_cache):
            if store is not None:
                await store.executor.aclose()
        if self.database is not None:
            await self.database.aclose()


def open_stores(settings: Settings, mode: str, clock: Clock, data_dir: Path | None = None) -> Stores:
    """The stores of `mode`. Lite mode never connects: all it has is a file in `data_dir`, or nothing without one.

    Nothing is opened here yet.

    Raises:
        ConfigurationError: A URL can't be used.
    """
    redis = None
    if mode == Mode.FULL and settings.state != "memory" and settings.redis.url.get_secret_value():
        redis = _redis(settings.redis, clock)
    own_cache = None
    if redis is not None and settings.cache.enabled and settings.cache.url.get_secret_value():
        own_cache = _redis(settings.redis, clock, settings.cache.url.get_secret_value(), "cache")
    url = settings.database.url.get_secret_value()
    if mode != Mode.FULL and names_postgres(url):
        url = ""
    if not url and data_dir is not None:
        url = file_database_url(data_dir)
    return Stores(redis, _database(url) if url else None, own_cache)


def _redis(settings: RedisSettings, clock: Clock, own_url: str = "", section: str = "redis") -> RedisStore:
    timeouts = Timeouts(settings.command_timeout_us, settings.connect_timeout_us)
    breaker = StoreBreaker(clock, section)
    try:
        client = connect(own_url or settings.url.get_secret_value(), timeouts)
    except ValueError as error:
        raise ConfigurationError([f"{section}.url: {error}"]) from error
    return RedisStore(RedisExecutor(client, all_scripts(), timeouts, breaker), breaker)


def _database(url: str) -> SqlDatabase:
    try:
        return SqlDatabase(url)
    except ValueError as error:
        raise ConfigurationError([f"database.url: {error}"]) from error

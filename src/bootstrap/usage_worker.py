"""A process that serves nobody: it brings usage from the stream of all gateways to the ledger."""

import asyncio
import logging
import signal
from contextlib import suppress

import uvloop

from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.sql.connection import SqlDatabase
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.randomness import SystemRandomness
from adapters.outbound.telemetry.log import configure_logging
from application.endless import keep_going
from application.errors import StateUnavailable
from application.ports.event_sink import EventSink
from application.usage.announced import announced_to
from application.usage.drain_usage import DrainUsage
from bootstrap.configuration_error import ConfigurationError
from bootstrap.consumer_name import consumer_name
from bootstrap.observation import off_the_loop
from bootstrap.settings import Mode, ModeDecision, Settings
from bootstrap.settings.secrets import secrets_of
from bootstrap.stores import RedisStore, Stores, open_stores
from domain.redaction import Redactor

_log = logging.getLogger("moongate.usage")


def drain_until_stopped(settings: Settings, decision: ModeDecision) -> int:
    """Drains until SIGTERM or SIGINT, and then finishes the batch in hand; the exit status.

    Raises:
        ConfigurationError: There is nothing that others could drain, or a store's URL can't be used.
    """
    if decision.mode is not Mode.FULL:
        why = f"lite mode, {decision.reason}"
        raise ConfigurationError([f"worker: nothing to drain ({why}): a lite gateway writes its usage itself"])
    redactor = Redactor(secrets_of(settings))
    log = configure_logging(settings.observability.log_level, settings.observability.log_format, redactor)
    with off_the_loop(log), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, open_stores(settings, decision.mode, SystemClock())))
    return 0


async def _work(settings: Settings, stores: Stores) -> None:
    redis, database = _both(stores)
    clock, randomness = SystemClock(), SystemRandomness()
    events = RedisEventSink(redis.executor, settings.redis.prefix, clock, randomness)
    drain = _drain(settings, redis, database, events)
    ended = asyncio.Event()

    async def drain_to_the_end() -> None:
        await drain.run()
        ended.set()

    works = {
        "draining usage": drain_to_the_end,
        "sending usage events": events.run,
        "probing redis": Prober(redis.executor, redis.breaker, clock, randomness).run,
    }
    _obey_signals(drain)
    with suppress(StateUnavailable):
        await redis.executor.load()
    running = [asyncio.create_task(keep_going(name, work, clock)) for name, work in works.items()]
    _log.info("draining usage")
    try:
        await ended.wait()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await events.flush()
        await stores.aclose()
    _log.info("ended")


def _both(stores: Stores) -> tuple[RedisStore, SqlDatabase]:
    if stores.redis is None or stores.database is None:
        need = "redis.url and the URL of a Postgres database"
        raise ConfigurationError([f"worker: expected {need}: usage is drained from the one into the other"])
    return stores.redis, stores.database


def _drain(settings: Settings, redis: RedisStore, database: SqlDatabase, events: EventSink) -> DrainUsage:
    clock, usage = SystemClock(), settings.usage
    return DrainUsage(
        RedisUsageStream(redis.executor, settings.redis.prefix, clock, shards=usage.stream_shards),
        SqlLedger(database.engine),
        clock,
        SystemRandomness(),
        consumer_name("worker"),
        batch_size=usage.batch_size,
        max_retries=usage.max_retries,
        on_recorded=announced_to(events),
    )


def _obey_signals(drain: DrainUsage) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.stop)
    # Its own effect would be to kill the process.
    loop.add_signal_handler(signal.SIGHUP, _log.warning, "SIGHUP: this version can't reload; restart it instead")

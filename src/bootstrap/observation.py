"""What tells operators what happened: wired here, written elsewhere."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from adapters.outbound.telemetry.off_loop import OffLoopHandler
from application.answered import Answered
from application.change_feed import ChangeFeed
from application.debug_bodies import DebugBodies
from application.endless import Work
from application.ports.clock import Clock
from application.ports.exchange_observer import ExchangeObserver
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import Settings
from bootstrap.settings.secrets import secrets_of
from domain.redaction import Redactor
from domain.routing.decision import DecisionTrace

_CLOSED_WITHIN_S = 5.0


class Collector(ExchangeObserver, Protocol):
    """What sends traces and metrics to a collector."""

    def start(self) -> None:
        """In the process that is to send."""

    def close(self, within_s: float) -> None:
        """Sends what is left, within that time. Blocks."""


def redactor_of(settings: Settings, master_key: str) -> Redactor:
    """Knows every secret of the configuration."""
    return Redactor((*secrets_of(settings), master_key))


class NoCollector:
    """What there is where none is configured."""

    def ended(self, answered: Answered, trace: DecisionTrace | None) -> None:
        """Tells nobody."""

    def start(self) -> None:
        """Nothing has to."""

    def close(self, within_s: float) -> None:
        """Nothing is left."""


def configured_collector(
    endpoint: str, version: str, gateway_id: str, redactor: Redactor, clock: Clock, known: Callable[[str], str]
) -> Collector:
    """What sends traces and metrics to `endpoint`, which may be empty. Nothing is sent before it is started.

    `known` gives the name that metrics have for the model that a client asked for.

    Raises:
        ConfigurationError: The packages that it needs are not installed.
    """
    if not endpoint:
        return NoCollector()
    try:
        from adapters.outbound.telemetry.otlp import OtlpTelemetry  # noqa: PLC0415 - the packages are an extra
    except ImportError as error:
        missing = error.name or "a package"
        told = f"observability.otlp_endpoint: {missing} is not installed; install moongate[otlp], or leave it empty"
        raise ConfigurationError([told]) from error
    return OtlpTelemetry(endpoint, version, gateway_id, redactor, clock, known)


@dataclass(frozen=True, slots=True)
class Observation:
    """Runs beside the requests what is not done by requests themselves."""

    feed: ChangeFeed
    debug_bodies: DebugBodies
    collector: Collector

    async def open(self) -> None:
        """Before the first request."""
        self.feed.follow(self.debug_bodies)
        self.collector.start()

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        return {"following the switch for bodies": self.debug_bodies.run}

    async def close(self) -> None:
        """After the last request."""
        await asyncio.to_thread(self.collector.close, _CLOSED_WITHIN_S)


@contextmanager
def off_the_loop(log: OffLoopHandler) -> Iterator[None]:
    """Log lines are written by a thread of this process, and all of them before it ends."""
    log.start()
    try:
        yield
    finally:
        log.stop()

"""How the gateway stands, and how it is configured."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import RootModel

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Schema
from adapters.inbound.http.admin.wire import TimeOut
from adapters.inbound.http.use_cases import ProcessFacts
from application.reloads import Reload
from application.use_cases.admin.status import Status
from domain.principal import Permission
from domain.usage_stream import UsageDepth

_US_PER_SECOND = 1_000_000


class UsageQueueShown(Schema):
    """Usage records between the gateways and the ledger: never delivered, delivered to somebody, dead letters."""

    waiting: int
    pending: int
    dead: int


class UsageFlowShown(Schema):
    """Where usage is on its way to the ledger; all but `stream` is of this process. Null: the stream is away.

    `unwritten` waits for a journal that takes nothing, `lost` will never be known, `on_the_way` left the journal.
    """

    unwritten: int
    lost: int
    on_the_way: int
    stream: UsageQueueShown | None


class ReloadShown(Schema):
    """What came of the last reload of the configuration of this process.

    `ok` false: it was refused, `messages` say why, and nothing changed. `needs_restart` names what differs and stays
    as it was until then.
    """

    at: TimeOut
    ok: bool
    messages: Sequence[str]
    changed: Sequence[str]
    needs_restart: Sequence[str]
    warnings: Sequence[str]


class StatusShown(Schema):
    """How this process stands, and what it shares with others. Each process answers for itself."""

    mode: str
    reason: str
    version: str
    uptime_s: float
    stores: Mapping[str, str]
    gateways: int | None
    usage: UsageFlowShown
    spends_remembered: int
    schema_revision: str | None
    last_reload: ReloadShown | None


class ConfigShown(RootModel[dict[str, Any]]):
    """The configuration in force, with the names of the file. Secrets that are set are `***`."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    facts: ProcessFacts
    read_status: Callable[[], Awaitable[Status]]
    config: Callable[[], dict[str, Any]]

    async def status(self, _asked: Asked[NoFields, NoFields]) -> StatusShown:
        found, facts = await self.read_status(), self.facts
        usage = found.usage
        return StatusShown(
            mode=facts.mode,
            reason=facts.reason,
            version=facts.version,
            uptime_s=found.uptime_us / _US_PER_SECOND,
            stores=found.stores,
            gateways=found.gateways,
            usage=UsageFlowShown(
                unwritten=usage.unwritten, lost=usage.lost, on_the_way=usage.on_the_way, stream=_queue(usage.stream)
            ),
            spends_remembered=found.spends_remembered,
            schema_revision=found.schema_revision,
            last_reload=None if found.last_reload is None else shown_reload(found.last_reload),
        )

    async def shown_config(self, _asked: Asked[NoFields, NoFields]) -> ConfigShown:
        return ConfigShown(self.config())


def status_routes(
    facts: ProcessFacts, read_status: Callable[[], Awaitable[Status]], config: Callable[[], dict[str, Any]]
) -> tuple[AnyRoute, ...]:
    """`GET /status` and `GET /config`."""
    handlers = _Handlers(facts, read_status, config)
    return (
        Route(
            method=Method.GET,
            path="/status",
            permission=Permission.SEE_GATEWAY,
            summary="How this process and what it shares stand",
            handler=handlers.status,
            response=StatusShown,
        ),
        Route(
            method=Method.GET,
            path="/config",
            permission=Permission.SEE_GATEWAY,
            summary="The configuration in force, without secrets",
            handler=handlers.shown_config,
            response=ConfigShown,
        ),
    )


def shown_reload(reload: Reload) -> ReloadShown:
    """A reload as clients see it."""
    return ReloadShown(
        at=reload.at_us,
        ok=reload.ok,
        messages=reload.messages,
        changed=reload.changed,
        needs_restart=reload.needs_restart,
        warnings=reload.warnings,
    )


def _queue(depth: UsageDepth | None) -> UsageQueueShown | None:
    if depth is None:
        return None
    return UsageQueueShown(waiting=depth.waiting, pending=depth.pending, dead=depth.dead)

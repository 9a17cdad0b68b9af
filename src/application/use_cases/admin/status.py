from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from application.billing.journaling import Journaling
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from application.ports.usage_stream import UsageStream
from application.reloads import LastReload, Reload
from application.spending.spends import Spends
from application.store_watch import StoreWatch
from application.usage.deliver_usage import DeliverUsage
from domain.usage_stream import UsageDepth

FindRevision = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class UsageFlow:
    """Where usage is on its way to the ledger.

    Attributes:
        unwritten: Ends of attempts that this process's journal could not take yet.
        lost: Those that it never could.
        on_the_way: Records that left this process's journal and are not known to be in the ledger.
        stream: What all gateways share; None where it does not answer.
    """

    unwritten: int
    lost: int
    on_the_way: int
    stream: UsageDepth | None


@dataclass(frozen=True, slots=True)
class Status:
    """How this process and what it shares stand.

    Attributes:
        stores: What each store last said; `ok` where it answers.
        gateways: Processes that share the state, this one included; None where nobody knows.
        spends_remembered: Attempts whose cost this process keeps until the ledger has it.
        schema_revision: Of the database; None where there is none, or it does not answer.
        last_reload: Of this process's configuration; None before the first.
    """

    uptime_us: int
    stores: Mapping[str, str]
    gateways: int | None
    usage: UsageFlow
    spends_remembered: int
    schema_revision: str | None
    last_reload: Reload | None = None


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """Shows operators how the gateway stands, whatever is away."""

    clock: Clock
    started_us: int
    store_watch: StoreWatch
    registry: GatewayRegistry
    journaling: Journaling
    deliver: DeliverUsage
    stream: UsageStream
    spends: Spends
    find_revision: FindRevision | None
    last_reload: LastReload = field(default_factory=LastReload)

    async def __call__(self) -> Status:
        """As it is now. Never fails because a store does."""
        return Status(
            uptime_us=self.clock.monotonic_us() - self.started_us,
            stores=self.store_watch.said(),
            gateways=self.registry.count(),
            usage=UsageFlow(
                unwritten=self.journaling.waiting,
                lost=self.journaling.lost,
                on_the_way=self.deliver.on_the_way,
                stream=await self._depth(),
            ),
            spends_remembered=self.spends.remembered,
            schema_revision=await self._revision(),
            last_reload=self.last_reload.value,
        )

    async def _depth(self) -> UsageDepth | None:
        try:
            return await self.stream.depth()
        except StateUnavailable:
            return None

    async def _revision(self) -> str | None:
        try:
            return None if self.find_revision is None else await self.find_revision()
        except StateUnavailable:
            return None

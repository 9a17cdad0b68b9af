from dataclasses import dataclass

from application.administration.administering import missing
from application.administration.noting import Noting
from application.administration.patching import legal
from application.ports.usage_stream import UsageStream
from application.use_cases.dead_letters import DiscardDeadLetter, ListDeadLetters, ReplayDeadLetter
from domain.audit import Deed
from domain.pages import Page
from domain.principal import Principal
from domain.usage_stream import DeadLetter


@dataclass(frozen=True, slots=True)
class AdministerDeadLetters:
    """Usage records that the ledger refused, for administrators. All raise StateUnavailable.

    What they do is noted in the audit log afterwards: dead letters live in another store.
    """

    stream: UsageStream
    note: Noting

    async def list(self, limit: int, after: str | None) -> Page[DeadLetter]:
        """A page of them, the oldest first. Raises InvalidRequest where `after` is no cursor."""
        with legal("after"):
            return await ListDeadLetters(self.stream)(limit, after)

    async def replay(self, principal: Principal, record_id: str) -> None:
        """Sends one on its way to the ledger again. Raises ItemNotFound."""
        if not await ReplayDeadLetter(self.stream)(record_id):
            raise missing("dead letter", record_id)
        await self.note(principal, Deed("dead-letter.replay", f"dead-letter:{record_id}"))

    async def discard(self, principal: Principal, record_id: str) -> None:
        """Gives one up: its usage will never be in the ledger. Raises ItemNotFound."""
        if not await DiscardDeadLetter(self.stream)(record_id):
            raise missing("dead letter", record_id)
        await self.note(principal, Deed("dead-letter.discard", f"dead-letter:{record_id}"))

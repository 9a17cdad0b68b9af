import logging
from dataclasses import dataclass

from application.errors import StateUnavailable
from application.ports.deed_log import DeedLog
from domain.audit import Deed
from domain.principal import Principal

_log = logging.getLogger("moongate.audit")


@dataclass(frozen=True, slots=True)
class Noting:
    """Writes into the audit log what was done to instances and dead letters.

    After it was done: an operator must be able to drain an instance while the database is away. The log of the process
    tells it then.
    """

    log: DeedLog

    async def __call__(self, principal: Principal, deed: Deed) -> None:
        """Never fails."""
        try:
            await self.log.note_deed(deed, principal.actor)
        except StateUnavailable:
            said = (principal.actor, deed.action, deed.target, deed.after or "")
            _log.error("%s did %s to %s %s; the audit log does not have it", *said)

from dataclasses import dataclass, field

from application.administration.patching import legal
from application.ports.admin_store import AdminStore
from application.ports.audit_log import AuditLog
from domain.audit import AuditEntry
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import TeamId
from domain.virtual_key import VirtualKey

_MOST_QUESTIONS = 20


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """What was changed, by whom."""

    store: AdminStore
    log: AuditLog

    async def __call__(
        self, principal: Principal, limit: int, after: str | None, target: str | None
    ) -> Page[AuditEntry]:
        """Entries, the latest first; of one target where one is given.

        Whoever sees not all sees those about its teams, their members, keys and budgets. Others between them are
        passed over, so that a page can be short, or empty, and not the last.
        """
        if principal.sees_all:
            with legal("after"):
                return await self.log.page(limit, after, target)
        reader = _Reader(self.store, principal)
        found: list[AuditEntry] = []
        for _ in range(_MOST_QUESTIONS):
            with legal("after"):
                page = await self.log.page(limit - len(found), after, target)
            found += [entry for entry in page.items if await reader.may_read(entry.target)]
            after = page.next
            if after is None or len(found) >= limit:
                break
        return Page(tuple(found), after)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whoever manages teams, reading. Remembers whose keys it has met: a key never changes its team."""

    store: AdminStore
    principal: Principal
    _teams: dict[str, TeamId | None] = field(default_factory=dict)

    async def may_read(self, target: str) -> bool:
        kind, _, rest = target.removeprefix("budget:").partition(":")
        match kind:
            case "team" | "member":
                return self.principal.sees_team(TeamId(rest.partition(":")[0]))
            case "key":
                return self.principal.sees_team(await self._team_of(rest))
            case _:
                return False

    async def _team_of(self, key_id: str) -> TeamId | None:
        if key_id not in self._teams:
            key = await self.store.get(VirtualKey, key_id)
            self._teams[key_id] = None if key is None else key.team_id
        return self._teams[key_id]

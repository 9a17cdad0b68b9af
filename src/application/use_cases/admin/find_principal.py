from dataclasses import dataclass

from application.errors import NotPermitted
from application.ports.admin_store import AdminStore
from domain.callers import Caller
from domain.pages import MOST_ITEMS
from domain.principal import Principal
from domain.tenants import Membership, Role, TeamId


@dataclass(frozen=True, slots=True)
class FindPrincipal:
    """Who a caller is in the admin API."""

    store: AdminStore

    async def __call__(self, caller: Caller) -> Principal:
        """The principal. Which teams it manages is read anew for each request.

        Raises:
            NotPermitted: The caller has no role: this is no key of scope admin.
            StateUnavailable: The store is away.
        """
        if caller.role is None:
            raise NotPermitted("The admin API needs the master key, or a key of scope admin.")
        actor = caller.id if caller.user_id is None else f"user:{caller.user_id}/key:{caller.id}"
        if caller.role is not Role.TEAM_ADMIN or caller.user_id is None:
            return Principal(actor, caller.role)
        return Principal(actor, caller.role, await self._managed(caller.user_id))

    async def _managed(self, user_id: str) -> frozenset[TeamId]:
        teams: set[TeamId] = set()
        after = None
        while True:
            page = await self.store.page(Membership, MOST_ITEMS, after, {"user_id": user_id})
            teams.update(found.team_id for found in page.items if found.role is Role.TEAM_ADMIN)
            if page.next is None:
                return frozenset(teams)
            after = page.next

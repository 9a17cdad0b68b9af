"""What a principal may see and change, thing by thing. Every use case gets at things through here.

What it may not see, it is told, is not there; what it may see and not change, is not permitted.
"""

from application.administration.administering import missing
from application.errors import NotPermitted
from application.ports.admin_store import AdminStore
from domain.principal import Principal
from domain.tenants import Membership, Team, TeamId, User
from domain.virtual_key import KeyScope, VirtualKey


async def seen_team(store: AdminStore, principal: Principal, team_id: str) -> Team:
    """Raises ItemNotFound."""
    team = await store.get(Team, team_id) if principal.sees_team(TeamId(team_id)) else None
    if team is None:
        raise missing("team", team_id)
    return team


async def managed_team(store: AdminStore, principal: Principal, team_id: str) -> Team:
    """A team whose keys and members it may change. Raises ItemNotFound, NotPermitted."""
    team = await seen_team(store, principal, team_id)
    if not principal.manages_team(team.id):
        raise NotPermitted("You may see this team, and not change what belongs to it.")
    return team


async def seen_member(store: AdminStore, principal: Principal, team_id: str, user_id: str) -> Membership:
    """Raises ItemNotFound."""
    team = await seen_team(store, principal, team_id)
    found = await store.get(Membership, f"{team.id}:{user_id}")
    if found is None:
        raise missing("member of this team", user_id)
    return found


async def seen_key(store: AdminStore, principal: Principal, key_id: str) -> VirtualKey:
    """Raises ItemNotFound."""
    key = await store.get(VirtualKey, key_id)
    if key is None or not principal.sees_team(key.team_id):
        raise missing("key", key_id)
    return key


async def managed_key(store: AdminStore, principal: Principal, key_id: str) -> VirtualKey:
    """Raises ItemNotFound, NotPermitted."""
    key = await seen_key(store, principal, key_id)
    refuse_foreign_key(principal, key.team_id, key.scope)
    return key


def refuse_foreign_key(principal: Principal, team_id: TeamId | None, scope: KeyScope) -> None:
    """Raises NotPermitted where it may not set keys of that team and scope.

    Who manages a team would otherwise lend itself the role of any user: a key of scope admin has its user's.
    """
    if not principal.manages_team(team_id) or (scope is KeyScope.ADMIN and not principal.changes_all):
        raise NotPermitted("You may not set this key: those who manage teams set their teams' keys of scope llm.")


async def seen_user(store: AdminStore, principal: Principal, user_id: str) -> User:
    """Whoever sees not all sees the members of its teams. Raises ItemNotFound."""
    if not principal.sees_all and not await _shares_a_team(store, principal, user_id):
        raise missing("user", user_id)
    user = await store.get(User, user_id)
    if user is None:
        raise missing("user", user_id)
    return user


async def _shares_a_team(store: AdminStore, principal: Principal, user_id: str) -> bool:
    for team_id in sorted(principal.teams):
        if await store.get(Membership, f"{team_id}:{user_id}") is not None:
            return True
    return False

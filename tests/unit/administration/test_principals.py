"""Who a caller is in the admin API."""

import pytest

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.virtual_time import ManualClock
from application.errors import NotPermitted
from application.use_cases.admin.find_principal import FindPrincipal
from domain.callers import Caller, CallerKind
from domain.pages import MOST_ITEMS
from domain.principal import Permission, Principal
from domain.tenants import Membership, Role, TeamId, UserId

OWN, OTHER = TeamId("own"), TeamId("other")
MANAGER = Caller(CallerKind.KEY, "K", user_id="U", role=Role.TEAM_ADMIN)


def finder(*memberships: Membership) -> FindPrincipal:
    tenants = MemoryTenants()
    tenants.of(Membership).update({f"{one.team_id}:{one.user_id}": one for one in memberships})
    return FindPrincipal(MemoryAdminStore(tenants, ManualClock()))


@pytest.mark.parametrize(
    "caller", [Caller(CallerKind.ANONYMOUS, "192.0.2.1"), Caller(CallerKind.KEY, "K", user_id="U", team_id="T")]
)
async def test_caller_without_a_role_is_nobody(caller: Caller) -> None:
    with pytest.raises(NotPermitted):
        await finder()(caller)


async def test_who_manages_teams_manages_those_where_it_has_that_role() -> None:
    found = await finder(
        Membership(UserId("U"), OWN, Role.TEAM_ADMIN),
        Membership(UserId("U"), TeamId("seen"), Role.VIEWER),
        Membership(UserId("V"), OTHER, Role.TEAM_ADMIN),
    )(MANAGER)

    assert found == Principal("user:U/key:K", Role.TEAM_ADMIN, frozenset({OWN}))


async def test_more_teams_than_a_page_holds_are_all_found() -> None:
    teams = [TeamId(f"t{number}") for number in range(MOST_ITEMS + 5)]

    found = await finder(*(Membership(UserId("U"), team, Role.TEAM_ADMIN) for team in teams))(MANAGER)

    assert found.teams == set(teams)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
async def test_other_roles_are_the_same_everywhere_whatever_they_are_in_a_team(role: Role) -> None:
    find = finder(Membership(UserId("U"), OWN, Role.TEAM_ADMIN))

    found = await find(Caller(CallerKind.KEY, "K", user_id="U", role=role))

    assert (found.role, found.teams) == (role, frozenset())
    assert found.manages_team(OWN) is (role is Role.ADMIN)


async def test_master_is_an_administrator() -> None:
    found = await finder()(Caller(CallerKind.MASTER, "master", role=Role.ADMIN))

    assert found == Principal("master", Role.ADMIN)


@pytest.mark.parametrize(
    ("role", "sees", "manages"),
    [
        (Role.ADMIN, [OWN, OTHER, None], [OWN, OTHER, None]),
        (Role.VIEWER, [OWN, OTHER, None], []),
        (Role.TEAM_ADMIN, [OWN], [OWN]),
    ],
)
def test_teams_are_seen_and_managed_by_role(
    role: Role, sees: list[TeamId | None], manages: list[TeamId | None]
) -> None:
    principal = Principal("p", role, frozenset({OWN}))

    assert [team for team in (OWN, OTHER, None) if principal.sees_team(team)] == sees
    assert [team for team in (OWN, OTHER, None) if principal.manages_team(team)] == manages


def test_permissions_are_given_by_role() -> None:
    given = {role: {permission for permission in Permission if Principal("p", role).may(permission)} for role in Role}

    assert given == {
        Role.ADMIN: {*Permission},
        Role.VIEWER: {Permission.SEE_GATEWAY, Permission.SEE_TENANTS},
        Role.TEAM_ADMIN: {Permission.SEE_TENANTS, Permission.CHANGE_TENANTS},
    }

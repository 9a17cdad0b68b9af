"""Who administers, and how far."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.tenants import Role, TeamId


class Permission(StrEnum):
    """What a route of the admin API asks of whoever calls it. Which team, user or key it is about comes on top."""

    SEE_GATEWAY = "see-gateway"
    CHANGE_GATEWAY = "change-gateway"
    SEE_TENANTS = "see-tenants"
    CHANGE_TENANTS = "change-tenants"

    @property
    def changes(self) -> bool:
        """Whether it is about more than looking."""
        return self in {Permission.CHANGE_GATEWAY, Permission.CHANGE_TENANTS}


PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.VIEWER: frozenset({Permission.SEE_GATEWAY, Permission.SEE_TENANTS}),
        Role.TEAM_ADMIN: frozenset({Permission.SEE_TENANTS, Permission.CHANGE_TENANTS}),
    }
)
"""What each role may ask for. A role that does not stand here may nothing."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller of the admin API. There is none without a role.

    Attributes:
        actor: How the audit log names it.
        teams: Those that it manages; of no meaning for an admin, who may everything, and a viewer, who sees all.
    """

    actor: str
    role: Role
    teams: frozenset[TeamId] = frozenset()

    def __post_init__(self) -> None:
        if not self.actor or self.role not in PERMISSIONS:
            raise ValueError("expected an actor and its role")

    def may(self, permission: Permission) -> bool:
        """Whether routes that ask for this are open to it at all."""
        return permission in PERMISSIONS[self.role]

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it."""
        return self.may(Permission.SEE_GATEWAY)

    @property
    def changes_all(self) -> bool:
        """Whether nothing is closed to it."""
        return self.may(Permission.CHANGE_GATEWAY)

    def sees_team(self, team_id: TeamId | None) -> bool:
        """Whether it may see that team and what belongs to it. None: what belongs to no team."""
        return self.sees_all or team_id in self.teams

    def manages_team(self, team_id: TeamId | None) -> bool:
        """Whether it may change what belongs to that team."""
        return self.changes_all or (self.may(Permission.CHANGE_TENANTS) and team_id in self.teams)

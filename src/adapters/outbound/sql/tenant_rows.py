"""Users, teams, memberships and keys as rows."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from domain.limits.key_limits import KeyLimits
from domain.stored import id_of
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey

Row: TypeAlias = Mapping[Any, Any]


def user_row(user: User) -> Row:
    """The row of a user."""
    return {
        "id": user.id,
        "email": user.email,
        "role": user.role.value,
        "created_at_us": user.created_at_us,
        **_limits_row(user.limits),
        "blocked": user.blocked,
    }


def user_of(row: Row) -> User:
    """The user of a row."""
    return User(
        UserId(row["id"]),
        row["email"],
        Role(row["role"]),
        row["created_at_us"],
        _limits_of(row),
        row["blocked"],
    )


def team_row(team: Team) -> Row:
    """The row of a team."""
    return {
        "id": team.id,
        "name": team.name,
        "created_at_us": team.created_at_us,
        **_limits_row(team.limits),
        **_permissions_row(team),
        "blocked": team.blocked,
    }


def team_of(row: Row) -> Team:
    """The team of a row."""
    return Team(
        TeamId(row["id"]),
        row["name"],
        row["created_at_us"],
        _limits_of(row),
        blocked=row["blocked"],
        **_permissions_of(row),
    )


def membership_row(membership: Membership) -> Row:
    """The row of a membership."""
    return {
        "id": id_of(membership),
        "team_id": membership.team_id,
        "user_id": membership.user_id,
        "role": membership.role.value,
    }


def membership_of(row: Row) -> Membership:
    """The membership of a row."""
    return Membership(UserId(row["user_id"]), TeamId(row["team_id"]), Role(row["role"]))


def key_row(key: VirtualKey) -> Row:
    """The row of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "digest": key.digest,
        "scope": key.scope.value,
        "user_id": key.user_id,
        "team_id": key.team_id,
        **_permissions_row(key),
        **_limits_row(key.limits),
        "created_at_us": key.created_at_us,
        "expires_at_us": key.expires_at_us,
        "revoked_at_us": key.revoked_at_us,
        "blocked": key.blocked,
    }


def key_of(row: Row) -> VirtualKey:
    """The key of a row."""
    return VirtualKey(
        id=KeyId(row["id"]),
        name=row["name"],
        prefix=row["prefix"],
        digest=row["digest"],
        created_at_us=row["created_at_us"],
        scope=KeyScope(row["scope"]),
        user_id=row["user_id"],
        team_id=row["team_id"],
        limits=_limits_of(row),
        expires_at_us=row["expires_at_us"],
        blocked=row["blocked"],
        revoked_at_us=row["revoked_at_us"],
        **_permissions_of(row),
    )


def _limits_row(limits: KeyLimits) -> Row:
    return {
        "requests_per_minute": limits.requests_per_minute,
        "tokens_per_minute": limits.tokens_per_minute,
        "max_parallel": limits.max_parallel,
    }


def _limits_of(row: Row) -> KeyLimits:
    return KeyLimits(row["requests_per_minute"], row["tokens_per_minute"], row["max_parallel"])


def _permissions_row(holder: Team | VirtualKey) -> Row:
    return {
        "models": None if holder.models is None else _text(sorted(holder.models)),
        "tags": _text(sorted(holder.tags)),
        "routes": _text(dict(holder.routes)),
    }


def _permissions_of(row: Row) -> dict[str, Any]:
    models = row["models"]
    return {
        "models": None if models is None else frozenset(json.loads(models)),
        "tags": frozenset(json.loads(row["tags"])),
        "routes": json.loads(row["routes"]),
    }


def _text(value: list[str] | dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

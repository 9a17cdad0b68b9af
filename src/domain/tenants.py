"""Who keys are given to: users and teams."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from domain.limits.key_limits import NO_LIMITS, KeyLimits

UserId = NewType("UserId", str)
TeamId = NewType("TeamId", str)

_LONGEST_ID = 64
_LONGEST_NAME = 200
_LONGEST_EMAIL = 254


class Role(StrEnum):
    """What a user may do to the gateway."""

    ADMIN = "admin"
    VIEWER = "viewer"
    TEAM_ADMIN = "team-admin"


@dataclass(frozen=True, slots=True)
class User:
    """A person.

    Raises:
        ValueError: The id or the address is none.
    """

    id: UserId
    email: str
    role: Role
    created_at_us: int = 0
    limits: KeyLimits = NO_LIMITS
    blocked: bool = False

    def __post_init__(self) -> None:
        check_id(self.id, "user id")
        _check_email(self.email)


@dataclass(frozen=True, slots=True)
class Team:
    """People, or programs, that share limits and budgets.

    Attributes:
        models: Names its keys may ask for (models, aliases, routes); None for all, empty for none.
        tags: Instances its keys may use must carry all of these.
        routes: What its keys get where they ask for a name: another model, alias or route.

    Raises:
        ValueError: The id or a name is none.
    """

    id: TeamId
    name: str
    created_at_us: int = 0
    limits: KeyLimits = NO_LIMITS
    models: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    routes: Mapping[str, str] = field(default_factory=dict, hash=False)
    blocked: bool = False

    def __post_init__(self) -> None:
        check_id(self.id, "team id")
        check_name(self.name, "team name")
        check_names(self.models, self.tags, self.routes)


@dataclass(frozen=True, slots=True)
class Membership:
    """That a user belongs to a team, and what it may do there.

    Raises:
        ValueError: An id is none, or the role reaches beyond the team.
    """

    user_id: UserId
    team_id: TeamId
    role: Role = Role.VIEWER

    def __post_init__(self) -> None:
        check_id(self.user_id, "user id")
        check_id(self.team_id, "team id")
        # Who manages a team hands out its roles. None of them may open the whole gateway.
        if self.role is Role.ADMIN:
            raise ValueError("expected the role viewer or team-admin in a team, found admin")


def check_id(text: str, what: str) -> None:
    """Raises ValueError where it is no id: 1 to 64 letters, digits, `-` and `_` of ASCII.

    Ids are joined by colons into names of limits and into names in the shared store, where braces have a meaning.
    """
    is_plain = text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()
    if len(text) > _LONGEST_ID or not is_plain:
        raise ValueError(
            f"expected a {what} of 1 to {_LONGEST_ID} letters, digits, hyphens and underscores, found {text[:50]!r}"
        )


def check_name(text: str, what: str) -> None:
    """Raises ValueError where it is no name: 1 to 200 printable characters, not all of them blank."""
    if len(text) > _LONGEST_NAME or not text.isprintable() or not text.strip():
        raise ValueError(f"expected a {what} of 1 to {_LONGEST_NAME} printable characters, found {text[:50]!r}")


def check_names(models: frozenset[str] | None, tags: frozenset[str], routes: Mapping[str, str]) -> None:
    """Raises ValueError where one of them is no name."""
    for tag in tags:
        check_name(tag, "tag")
    for model in (*(models or ()), *routes, *routes.values()):
        check_name(model, "model")


def _check_email(text: str) -> None:
    # Whether an address exists, only a letter to it can tell.
    name, at, host = text.rpartition("@")
    is_plain = text.isprintable() and " " not in text
    if len(text) > _LONGEST_EMAIL or not is_plain or not (name and at and host) or "@" in name:
        raise ValueError(f"expected an e-mail address such as name@example.org, found {text[:50]!r}")

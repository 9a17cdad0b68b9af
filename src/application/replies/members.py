"""Members of JSON objects that come once or in parts, put together where the result is certain."""

from typing import TypeAlias

Members: TypeAlias = dict[str, object]


class Uncertain(ValueError):
    """What was said can't be put together without guessing."""


def keep_once(members: Members, name: str, value: object) -> None:
    """For a member that may be sent whole or in parts: two parts are not put together, for nobody says how.

    Empty values say nothing; the first one is kept until something else comes. A boolean may be repeated.
    """
    if _is_new(members, name, value) and not (isinstance(value, bool) and value is members[name]):
        raise Uncertain(f"more than one part of {name!r}")


def keep_equal(members: Members, name: str, value: object) -> None:
    """For a member that is repeated, not sent in parts: all that is said must be the same."""
    if _is_new(members, name, value) and value != members[name]:
        raise Uncertain(f"different values of {name!r}")


def _is_new(members: Members, name: str, value: object) -> bool:
    """Whether both the kept value and this one say something; where only one does, that one is kept."""
    if name not in members:
        members[name] = value
        return False
    if _is_empty(value):
        return False
    if _is_empty(members[name]):
        members[name] = value
        return False
    return True


def _is_empty(value: object) -> bool:
    # 0 and False say something.
    return value is None or (isinstance(value, str | list | dict) and not value)

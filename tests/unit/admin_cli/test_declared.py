"""Tables are made without what their handlers hold."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from adapters.inbound.cli.admin.declared import _NotHere, _stand_ins


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Plain:
    rpm: int = 7


@dataclass(frozen=True)
class Needy:
    store: object


def table(colour: Colour, plain: Plain, needy: Needy, fetch: Callable[[], int], enabled: bool, more: int = 3) -> None:
    """Stands for a function that gives routes."""


def test_plain_values_stand_in_where_a_type_has_them() -> None:
    colour, plain, needy, fetch, enabled = _stand_ins(table)

    assert (colour, plain, enabled) == (Colour.RED, Plain(7), False)
    assert isinstance(needy, _NotHere)
    assert isinstance(fetch, _NotHere)


def test_what_is_not_here_can_be_held_in_any_way() -> None:
    missing = _NotHere()

    assert isinstance(missing.store.find(1, name=2), _NotHere)

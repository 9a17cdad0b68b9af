"""`random`: every option alike, whatever its weight or priority."""

from collections.abc import Sequence

from domain.routing.ordering import in_order, shuffled
from domain.routing.strategy import Draw, Node, Option


def arrange(_key: str, options: Sequence[Option], draw: Draw) -> Node:
    """All options in uniformly random order."""
    return in_order(shuffled(options, draw))

"""`least-busy`: the fewest requests in flight."""

from collections.abc import Sequence

from domain.routing.ordering import in_order, shuffled
from domain.routing.strategy import Draw, Node, Option


def arrange(_key: str, options: Sequence[Option], draw: Draw) -> Node:
    """By ascending load. Ties in random order: an idle fleet must not send everything to the first entry."""
    return in_order(sorted(shuffled(options, draw), key=lambda option: option.in_flight))

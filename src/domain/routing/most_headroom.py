"""`most-headroom`: the largest share of its limits left."""

from collections.abc import Sequence

from domain.routing.ordering import in_order, shuffled
from domain.routing.strategy import Draw, Node, Option


def arrange(_key: str, options: Sequence[Option], draw: Draw) -> Node:
    """By descending headroom; equals, such as all without limits, in random order."""
    return in_order(sorted(shuffled(options, draw), key=lambda option: -option.headroom))

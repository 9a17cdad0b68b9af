"""`least-cost`: the cheapest for this request's estimated tokens."""

from collections.abc import Sequence

from domain.routing.ordering import in_order, shuffled
from domain.routing.strategy import Draw, Node, Option


def arrange(_key: str, options: Sequence[Option], draw: Draw) -> Node:
    """By ascending price of this request; equal prices in random order."""
    return in_order(sorted(shuffled(options, draw), key=lambda option: option.cost_nano))

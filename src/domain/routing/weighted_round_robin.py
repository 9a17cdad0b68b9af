"""`weighted-round-robin`: turns in proportion to weight, evenly spread."""

from collections.abc import Sequence

from domain.routing.strategy import Draw, Node, Option, Weighted


def arrange(key: str, options: Sequence[Option], _draw: Draw) -> Node:
    """One round-robin over all options; those with weight 0 never have a turn."""
    return Weighted(key, tuple((option.name, option.weight_milli, option.node) for option in options))

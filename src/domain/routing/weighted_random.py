"""`weighted-random`: by chance, in proportion to weight."""

import math
from collections.abc import Sequence

from domain.routing.ordering import in_order
from domain.routing.strategy import Draw, Node, Option, Ordered, Weighted


def arrange(key: str, options: Sequence[Option], draw: Draw) -> Node:
    """A weighted shuffle without replacement: the first in proportion to weight, so the next among the rest.

    Each option waits an exponential time of rate `weight` and the shortest wait goes first: the same order as the
    keys u^(1/w) of Efraimidis and Spirakis (2006), without their underflow. Weight 0 would wait for ever: such options
    stand last, in a round-robin that can't take them, so that admission names the reason.
    """
    waits = [
        (-math.log(1.0 - draw()) / option.weight_milli, option)  # 1 - draw is never 0
        for option in options
        if option.weight_milli > 0
    ]
    waits.sort(key=lambda pair: pair[0])
    drawn = [option for _, option in waits]
    if len(drawn) == len(options):
        return in_order(drawn)
    never = tuple((option.name, 0, option.node) for option in options if option.weight_milli <= 0)
    return Ordered((*(option.node for option in drawn), Weighted(key, never)))

"""`least-latency`: the shortest expected wait, with chance among those that are about as good."""

from collections.abc import Sequence

from domain.durations import SECOND_US
from domain.routing.ordering import in_order, shuffled
from domain.routing.strategy import Draw, Node, Option

UNKNOWN_LATENCY_US = SECOND_US
BAND_PERCENT = 115


def arrange(_key: str, options: Sequence[Option], draw: Draw) -> Node:
    """Those whose cost is within 15 % of the best in random order, then the others by ascending cost.

    An option's cost is its expected latency times the requests it would then serve. The chance among the near-best
    keeps gateways that see the same, slightly old figures from all running to one instance.
    """
    default_us = _median_us(options)
    costs = [
        (default_us if option.expected_latency_us is None else option.expected_latency_us) * (option.in_flight + 1)
        for option in options
    ]
    limit = min(costs, default=0) * BAND_PERCENT
    near = [option for option, cost in zip(options, costs, strict=True) if cost * 100 <= limit]
    far = [(cost, option) for option, cost in zip(options, costs, strict=True) if cost * 100 > limit]
    far.sort(key=lambda pair: pair[0])
    return in_order([*shuffled(near, draw), *(option for _, option in far)])


def _median_us(options: Sequence[Option]) -> int:
    """What a newcomer is taken to need: as much as its peers. Of an even number the lower middle one."""
    known = sorted(option.expected_latency_us for option in options if option.expected_latency_us is not None)
    return known[(len(known) - 1) // 2] if known else UNKNOWN_LATENCY_US

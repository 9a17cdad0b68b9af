"""What every strategy has in common: the options it arranges, and the tree that says in which order to try them.

A strategy never picks by itself: it arranges. The pick is made by `domain.routing.admission` in one atomic step,
together with circuits, cooldowns and limits, so that a choice can't be overtaken by what other requests do.
The same eight strategies work on instances of a model and on models of a route: both are options.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.catalog import Instance


class StrategyName(StrEnum):
    """The strategies by their names in the configuration."""

    PRIORITY = "priority"
    WEIGHTED_ROUND_ROBIN = "weighted-round-robin"
    LEAST_LATENCY = "least-latency"
    RANDOM = "random"
    WEIGHTED_RANDOM = "weighted-random"
    LEAST_BUSY = "least-busy"
    LEAST_COST = "least-cost"
    MOST_HEADROOM = "most-headroom"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One instance. `last_resort`: its circuit may be open; it is tried under a probe permit all the same."""

    instance: "Instance"
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """The first child that can be admitted is taken."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Weighted:
    """Smooth weighted round-robin over the children that can be admitted.

    Attributes:
        key: Names the round-robin state; the same for every gateway, changes with the configured weights.
        children: The name each has in that state, its weight in thousandths, and the child. Weight 0 is never taken.
    """

    key: str
    children: tuple[tuple[str, int, "Node"], ...]


Node = Leaf | Ordered | Weighted


def leaves(node: Node) -> Iterator[Leaf]:
    """All instances of a plan, in configured order."""
    match node:
        case Leaf():
            yield node
        case Ordered():
            for child in node.children:
                yield from leaves(child)
        case Weighted():
            for _, _, child in node.children:
                yield from leaves(child)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a strategy may choose: an instance, or a model of a route.

    Attributes:
        node: What choosing it means.
        weight_milli: Configured weight in thousandths, already scaled down while it starts slowly.
        expected_latency_us: Peak-EWMA, decayed to now; None where nothing was measured yet.
        in_flight: Requests it is serving now, over all gateways.
        cost_nano: Expected price of this request on it, nano-dollars.
        headroom: Share of its rpm/tpm that is left, the smaller of the two, 0 to 1; 1 without limits.
    """

    name: str
    node: Node
    priority: int
    weight_milli: int
    expected_latency_us: int | None
    in_flight: int
    cost_nano: int
    headroom: float


Draw = Callable[[], float]
"""A uniform random number in [0, 1), from the caller: strategies hold no randomness of their own."""

Arrange = Callable[[str, Sequence[Option], Draw], Node]
"""A strategy: `(round-robin key, options in configured order, draw) -> tree`."""

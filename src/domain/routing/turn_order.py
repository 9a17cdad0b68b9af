"""Round-robins of one gateway's own: a plan in which everyone stands in the order of local credits.

What admission is then asked holds no round-robin any more, so that it neither reads nor writes shared credits. Who
was taken in the end tells which turns were spent; see `domain.routing.local_credits`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.routing.strategy import Leaf, Node, Ordered, Weighted

if TYPE_CHECKING:
    from domain.identifiers import InstanceId

Members = tuple[tuple[str, int], ...]
"""Names and weights."""


@dataclass(slots=True)
class Credits:
    """One round-robin. `out`: the members that were refused when last asked, and have no part in it until taken."""

    by_member: dict[str, int]
    used_us: int
    out: set[str] = field(default_factory=set)


CreditsOf = Callable[[str, Sequence[tuple[str, int]]], Credits]
"""The state of a round-robin, by its key, and its members with a weight above 0."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a round-robin: everyone in `members` takes part, and the first is taken; `refused` were before it."""

    key: str
    members: Members
    refused: tuple[str, ...] = ()

    @property
    def taken(self) -> str:
        """Whose turn it is."""
        return self.members[0][0]


Way = tuple[Turn, ...]
"""The turns on the way to an instance, the outermost first."""


@dataclass(frozen=True, slots=True)
class TurnOrder:
    """A plan without round-robins.

    Attributes:
        plan: The same instances, in the order in which they are asked.
        ways: To every instance that can be taken, in that order.
    """

    plan: Node
    ways: "dict[InstanceId, Way]"

    @property
    def has_turns(self) -> bool:
        """Whether there is any round-robin to take part in."""
        return any(self.ways.values())


def in_turn(plan: Node, credits_of: CreditsOf) -> TurnOrder:
    """`plan` as local credits order it. Changes no credit.

    Who is out is asked first, so that it is noticed when it is back; the others follow as they are picked by smooth
    weighted round-robin: the richest first after everyone's weight was added, of equals the first in the plan.
    """
    ways: dict[InstanceId, Way] = {}
    return TurnOrder(_arranged(plan, (), credits_of, ways), ways)


def _arranged(node: Node, way: Way, credits_of: CreditsOf, ways: "dict[InstanceId, Way]") -> Node:
    match node:
        case Leaf():
            ways.setdefault(node.instance.id, way)
            return node
        case Ordered():
            return Ordered(tuple([_arranged(child, way, credits_of, ways) for child in node.children]))
        case Weighted():
            return _by_credit(node, way, credits_of, ways)


def _by_credit(node: Weighted, way: Way, credits_of: CreditsOf, ways: "dict[InstanceId, Way]") -> Node:
    weights = [(name, weight) for name, weight, _ in node.children if weight > 0]
    if not weights:
        return node
    members = _asked_in(weights, credits_of(node.key, weights))
    names = tuple([name for name, _ in members])
    child_of = {name: child for name, _, child in node.children}
    parts = [
        _arranged(child_of[name], (*way, Turn(node.key, members[place:], names[:place])), credits_of, ways)
        for place, name in enumerate(names)
    ]
    if len(members) < len(node.children):
        # Those of weight 0 stay a round-robin, one that can't take anybody: admission then names the reason.
        parts.append(Weighted(node.key, tuple(child for child in node.children if child[1] <= 0)))
    return parts[0] if len(parts) == 1 else Ordered(tuple(parts))


def _asked_in(weights: list[tuple[str, int]], state: Credits) -> Members:
    credit, out = state.by_member, state.out
    if not out:
        return tuple(sorted(weights, key=lambda one: credit.get(one[0], 0) + one[1], reverse=True))
    return tuple(sorted(weights, key=lambda one: (one[0] in out, credit.get(one[0], 0) + one[1]), reverse=True))

"""A plan as one of several gateways may follow it alone: with its share of every instance's limits."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from domain.catalog import Instance, InstanceLimits
from domain.gateways import share
from domain.identifiers import InstanceId
from domain.routing.decision import Exclusion, Refusal
from domain.routing.strategy import Leaf, Node, Ordered, Weighted

IsOut = Callable[[Instance], Exclusion | None]
"""Why an instance must not be taken at all; None where it may."""


@dataclass(slots=True)
class SharedOut:
    """What became of a plan.

    Attributes:
        plan: With shares for limits; None where nothing is left of it.
        whole: Its instances as they were.
        refusals: Of those that were left out.
    """

    plan: Node | None = None
    whole: dict[InstanceId, Instance] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


class Shares:
    """Makes such plans; each instance's share is made once, for as long as it and the number of gateways stay."""

    def __init__(self) -> None:
        self._made: dict[InstanceId, tuple[Instance, int, Instance]] = {}

    def of(self, plan: Node, tokens: int, gateways: int, is_out: IsOut) -> SharedOut:
        """The plan for one of `gateways`, without instances that are out."""
        made = SharedOut()
        made.plan = self._node(plan, tokens, gateways, is_out, made)
        return made

    def _node(self, node: Node, tokens: int, gateways: int, is_out: IsOut, made: SharedOut) -> Node | None:
        match node:
            case Leaf():
                why = is_out(node.instance)
                if why is not None:
                    made.refusals.append(Refusal(node.instance.id, why))
                    return None
                made.whole[node.instance.id] = node.instance
                return replace(node, instance=self._share(node.instance, tokens, gateways))
            case Ordered():
                children = (self._node(child, tokens, gateways, is_out, made) for child in node.children)
                kept = tuple(child for child in children if child is not None)
                return Ordered(kept) if kept else None
            case Weighted():
                members = (
                    (name, weight, self._node(child, tokens, gateways, is_out, made))
                    for name, weight, child in node.children
                )
                left = tuple((name, weight, child) for name, weight, child in members if child is not None)
                return replace(node, children=left) if left else None

    def _share(self, instance: Instance, tokens: int, gateways: int) -> Instance:
        known = self._made.get(instance.id)
        if known is None or known[0] is not instance or known[1] != gateways:
            known = (instance, gateways, replace(instance, limits=_share_of(instance.limits, gateways)))
            self._made[instance.id] = known
        own, whole = known[2], instance.limits.tokens_per_minute
        part = own.limits.tokens_per_minute
        if whole is None or part is None or not part < tokens <= whole:
            return own
        # Larger than the share, but not than the limit: it goes where nothing else went within the minute.
        return replace(own, limits=replace(own.limits, tokens_per_minute=tokens))


def _share_of(limits: InstanceLimits, gateways: int) -> InstanceLimits:
    given = (limits.requests_per_minute, limits.tokens_per_minute, limits.max_parallel)
    return InstanceLimits(*(None if limit is None else share(limit, gateways) for limit in given))

"""`priority`: the highest priority that can be taken; equals share by weighted round-robin."""

from collections.abc import Sequence

from domain.routing.strategy import Draw, Node, Option, Ordered, Weighted


def arrange(key: str, options: Sequence[Option], _draw: Draw) -> Node:
    """Tiers from the highest priority down. Slow start scales weights, so it never changes this order."""
    tiers: dict[int, list[Option]] = {}
    for option in options:
        tiers.setdefault(option.priority, []).append(option)
    parts = [part for level in sorted(tiers, reverse=True) for part in _tier(f"{key}:p{level}", tiers[level])]
    return parts[0] if len(parts) == 1 else Ordered(tuple(parts))


def _tier(key: str, options: list[Option]) -> list[Node]:
    """Those with a weight share; behind them stand those without, as the standby of their tier.

    Weights only divide between equals, so an option alone in its tier is used whatever its weight. A tier of weight-0
    options and a weight-0 option whose equals are all gone must then be used too, or the answer would depend on
    whether the others were filtered out before or refused while being admitted.
    """
    sharing = [option for option in options if option.weight_milli > 0]
    standby = [option for option in options if option.weight_milli <= 0]
    parts = []
    if sharing:
        parts.append(_share(key, [(option, option.weight_milli) for option in sharing]))
    if standby:
        parts.append(_share(f"{key}:standby", [(option, 1) for option in standby]))
    return parts


def _share(key: str, members: list[tuple[Option, int]]) -> Node:
    if len(members) == 1:
        return members[0][0].node
    return Weighted(key, tuple((option.name, weight, option.node) for option, weight in members))

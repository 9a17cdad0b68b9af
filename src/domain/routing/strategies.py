"""The strategies by name, and the names that operators may write."""

import difflib
from types import MappingProxyType

from domain.routing import (
    least_busy,
    least_cost,
    least_latency,
    most_headroom,
    priority,
    random_choice,
    weighted_random,
    weighted_round_robin,
)
from domain.routing.strategy import Arrange, StrategyName

_ARRANGE: MappingProxyType[StrategyName, Arrange] = MappingProxyType(
    {
        StrategyName.PRIORITY: priority.arrange,
        StrategyName.WEIGHTED_ROUND_ROBIN: weighted_round_robin.arrange,
        StrategyName.LEAST_LATENCY: least_latency.arrange,
        StrategyName.RANDOM: random_choice.arrange,
        StrategyName.WEIGHTED_RANDOM: weighted_random.arrange,
        StrategyName.LEAST_BUSY: least_busy.arrange,
        StrategyName.LEAST_COST: least_cost.arrange,
        StrategyName.MOST_HEADROOM: most_headroom.arrange,
    }
)

# Names that comments in the predecessor's configuration promised and nothing implemented.
ALIASES = MappingProxyType(
    {
        "simple": StrategyName.RANDOM,
        "weighted": StrategyName.WEIGHTED_ROUND_ROBIN,
        "latency-based": StrategyName.LEAST_LATENCY,
        "usage-based": StrategyName.MOST_HEADROOM,
    }
)


def arrange_by(name: StrategyName) -> Arrange:
    """The strategy of that name."""
    return _ARRANGE[name]


def parse_strategy(text: str) -> tuple[StrategyName, str | None]:
    """The strategy that `text` names, and a warning where that is an old name of it.

    Raises:
        ValueError: There is none; the message lists all and suggests the nearest.
    """
    alias = ALIASES.get(text)
    if alias is not None:
        return alias, f"strategy {text!r} is an old name: write {alias.value!r}"
    try:
        return StrategyName(text), None
    except ValueError:
        raise ValueError(_unknown(text)) from None


def _unknown(text: str) -> str:
    names = [name.value for name in StrategyName]
    nearest = difflib.get_close_matches(text, [*names, *ALIASES], n=1)
    suggestion = f"; did you mean {ALIASES.get(nearest[0], nearest[0])!s}?" if nearest else ""
    return f"unknown strategy {text!r}: expected one of {', '.join(names)}{suggestion}"

"""Options to arrange, and a walker that takes turns through the tree as admission would with nothing refused."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.catalog import Instance
from domain.identifiers import InstanceId, ModelName
from domain.routing.smooth_weighted_round_robin import pick
from domain.routing.strategies import arrange_by
from domain.routing.strategy import Leaf, Node, Option, Ordered, StrategyName, Weighted


def leaf(name: str, model: str = "gpt-4") -> Leaf:
    return Leaf(Instance(InstanceId(name), ModelName(model), "echo", model))


def option(name: str, weight: int = 1_000, node: Node | None = None, **known: Any) -> Option:
    facts: dict[str, Any] = {
        "priority": 0,
        "expected_latency_us": None,
        "in_flight": 0,
        "cost_nano": 0,
        "headroom": 1.0,
    }
    return Option(name=name, weight_milli=weight, node=node or leaf(name), **{**facts, **known})


def no_draw() -> float:
    raise AssertionError("this strategy needs no chance")


def seeded(seed: int = 7) -> Callable[[], float]:
    return random.Random(seed).random


def leaves(node: Node) -> Iterator[str]:
    """Every leaf, in the order of the tree."""
    match node:
        case Leaf(instance):
            yield instance.id
        case Ordered(children):
            for child in children:
                yield from leaves(child)
        case Weighted(_, shares):
            for _, _, child in shares:
                yield from leaves(child)


def arranged(name: StrategyName, options: Sequence[Option], draw: Callable[[], float]) -> list[str]:
    return list(leaves(arrange_by(name)("key", options, draw)))


@dataclass
class Walker:
    """Takes one instance after the other; `refused` leaves are pruned first, with the branches they leave empty."""

    credits: dict[str, dict[str, int]] = field(default_factory=dict)

    def take(self, tree: Node, refused: Collection[str] = ()) -> str | None:
        alive = prune(tree, refused)
        return None if alive is None else self._walk(alive)

    def _walk(self, node: Node) -> str:
        match node:
            case Leaf(instance):
                return instance.id
            case Ordered(children):
                return self._walk(children[0])
            case Weighted(key, shares):
                weights = [(name, weight) for name, weight, _ in shares]
                chosen, self.credits[key] = pick(weights, self.credits.get(key, {}))
                return self._walk(next(child for name, _, child in shares if name == chosen))


def prune(node: Node, refused: Collection[str]) -> Node | None:
    match node:
        case Leaf(instance):
            return None if instance.id in refused else node
        case Ordered(children):
            alive = [kept for child in children if (kept := prune(child, refused))]
            return Ordered(tuple(alive)) if alive else None
        case Weighted(key, shares):
            living = [(n, w, kept) for n, w, child in shares if w and (kept := prune(child, refused))]
            return Weighted(key, tuple(living)) if living else None


def first_counts(
    name: StrategyName, options: Sequence[Option], draw: Callable[[], float], picks: int
) -> Counter[str | None]:
    walker = Walker()
    return Counter(walker.take(arrange_by(name)("key", options, draw)) for _ in range(picks))

"""Plans in portions: a script is asked about a few instances at a time, not about a whole fleet."""

from collections.abc import Iterator

from domain.routing.strategy import Leaf, Node, Ordered, Weighted, leaves

PORTION_LEAVES = 16


def portions(plan: Node, most: int = PORTION_LEAVES) -> tuple[Node, ...]:
    """`plan` in consecutive parts of at most `most` leaves each; asked one after the other they mean the same.

    A round-robin is never divided, since its turns are taken among all that can be: one with more leaves is a part of
    its own. A plan of at most `most` leaves comes back as it is.
    """
    if sum(1 for _ in leaves(plan)) <= most:
        return (plan,)
    parts: list[Node] = []
    gathered: list[Node] = []
    size = 0
    for node in _undivided(plan):
        count = sum(1 for _ in leaves(node))
        if gathered and size + count > most:
            parts.append(_in_order(gathered))
            gathered, size = [], 0
        gathered.append(node)
        size += count
    return (*parts, _in_order(gathered))


def _undivided(node: Node) -> Iterator[Node]:
    """What a plan tries one after the other."""
    match node:
        case Leaf() | Weighted():
            yield node
        case Ordered():
            for child in node.children:
                yield from _undivided(child)


def _in_order(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Ordered(tuple(nodes))

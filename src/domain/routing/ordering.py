"""Options in a row: the two steps that most strategies end with."""

from collections.abc import Sequence

from domain.routing.strategy import Draw, Node, Option, Ordered


def in_order(options: Sequence[Option]) -> Node:
    """A tree that tries `options` one after the other; a single one needs no tree."""
    if len(options) == 1:
        return options[0].node
    return Ordered(tuple(option.node for option in options))


def shuffled(options: Sequence[Option], draw: Draw) -> list[Option]:
    """`options` in uniformly random order (Fisher-Yates), at one draw for each but the first.

    Sorting the result by anything leaves ties at random, since Python's sort is stable.
    """
    result = list(options)
    for last in range(len(result) - 1, 0, -1):
        other = int(draw() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result

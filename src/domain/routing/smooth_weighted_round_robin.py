"""Smooth weighted round-robin: exact shares, without runs of the same member.

The algorithm of nginx (`ngx_http_upstream_get_peer`). Every eligible member's credit grows by its weight; the
richest is picked and pays the sum of the eligible weights. {a: 5, b: 1, c: 1} gives a a b a c a a.
"""

from collections.abc import Mapping, Sequence


def pick(weights: Sequence[tuple[str, int]], current: Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """The member whose turn it is, and every member's credit afterwards.

    With a fixed set of members the counts are exact after each cycle (the sum of the weights over their greatest
    common divisor), and at most 1.5 picks off in between, for up to 40 members. The sum of all credits stays what it
    was, whoever is eligible. Costs O(members), integers only.

    Args:
        weights: The eligible members, in an order that every gateway shares: ties go to the first. Weight 0 is never
            picked.
        current: Credits by member; absent means 0. Members that are not eligible keep theirs untouched, so that one
            that comes back gets its share and no burst.

    Raises:
        ValueError: No member has a weight above 0.
    """
    credits_after = dict(current)
    best: str | None = None
    best_credit = total = 0
    for member, weight in weights:
        if weight <= 0:
            continue
        credit = credits_after.get(member, 0) + weight
        credits_after[member] = credit
        total += weight
        if best is None or credit > best_credit:
            best, best_credit = member, credit
    if best is None:
        raise ValueError("smooth weighted round-robin needs a member with a weight above 0")
    credits_after[best] = best_credit - total
    return best, credits_after


def unpick(weights: Sequence[tuple[str, int]], picked: str, current: Mapping[str, int]) -> dict[str, int]:
    """Every member's credit as if `picked` had never been picked among `weights`, whatever was picked since.

    What the pick gave and took is given back as differences, so picks that came in between keep theirs. Undone at
    once it leaves the credits as they were.

    Args:
        weights: The members that were eligible then, with their weights of then.
        picked: The one whose turn it was.
        current: Credits by member now.
    """
    credits_after = dict(current)
    total = 0
    for member, weight in weights:
        credits_after[member] = credits_after.get(member, 0) - weight
        total += weight
    credits_after[picked] += total
    return credits_after

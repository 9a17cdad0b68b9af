from collections import Counter
from math import gcd
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.routing.smooth_weighted_round_robin import pick, unpick

Weights = list[tuple[str, int]]


def members(*weights: int) -> Weights:
    return [(chr(ord("a") + index), weight) for index, weight in enumerate(weights)]


def sequence(weights: Weights, picks: int, current: dict[str, int] | None = None) -> tuple[list[str], dict[str, int]]:
    credits_now = current or {}
    taken = []
    for _ in range(picks):
        member, credits_now = pick(weights, credits_now)
        taken.append(member)
    return taken, credits_now


def assert_every_prefix_is_close(weights: Weights, taken: list[str]) -> None:
    total = sum(weight for _, weight in weights)
    counts: Counter[str] = Counter()
    for length, member in enumerate(taken, start=1):
        counts[member] += 1
        for name, weight in weights:
            assert 2 * abs(counts[name] * total - length * weight) <= 3 * total, (name, length)


@pytest.mark.parametrize(
    "weights", [(60, 40), (80, 20), (40, 35, 25), (1, 1), (5, 1, 1), (60_000, 40_000), (3_000, 1_000)]
)
def test_audit_1_3_shares_are_exact_over_every_full_cycle_and_close_in_every_prefix(weights: tuple[int, ...]) -> None:
    set_of_members = members(*weights)
    divisor = gcd(*weights)
    cycle = sum(weights) // divisor

    taken, credits_after = sequence(set_of_members, 50 * cycle)

    for start in range(0, len(taken), cycle):
        counts = Counter(taken[start : start + cycle])
        assert counts == {name: weight // divisor for name, weight in set_of_members}
    assert_every_prefix_is_close(set_of_members, taken)
    assert set(credits_after.values()) == {0}


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_shares_of_any_weights_stay_within_one_and_a_half_picks(weights: list[int]) -> None:
    set_of_members = members(*weights)

    taken, credits_after = sequence(set_of_members, sum(weights))

    assert Counter(taken) == dict(set_of_members)
    assert set(credits_after.values()) == {0}
    assert_every_prefix_is_close(set_of_members, taken)


def test_five_one_one_is_spread_as_nginx_spreads_it() -> None:
    taken, _ = sequence(members(5, 1, 1), 7)

    assert taken == list("aabacaa")


def test_lessons_one_to_one_alternates() -> None:
    taken, _ = sequence(members(1, 1), 100)

    assert taken == list("ab" * 50)


def test_ties_go_to_the_first_member_as_listed() -> None:
    assert pick([("b", 3), ("a", 3), ("c", 3)], {})[0] == "b"
    assert pick([("c", 3), ("b", 3), ("a", 3)], {})[0] == "c"
    assert pick([("a", 1), ("b", 2)], {"a": 1})[0] == "a"


@pytest.mark.parametrize("absent_for", [1, 3, 500, 501, 507])
@pytest.mark.parametrize("before", range(10))
def test_audit_1_3_a_member_that_returns_gets_its_share_and_no_burst(before: int, absent_for: int) -> None:
    everyone = members(5, 3, 2)
    _, credits_now = sequence(everyone, before)

    while_absent, credits_now = sequence(everyone[1:], absent_for, credits_now)
    after, _ = sequence(everyone, 40, credits_now)

    assert "a" not in while_absent
    for start in (0, 10, 20, 30):
        assert abs(Counter(after[start : start + 10])["a"] - 5) <= 1


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=6).filter(any),
    st.lists(st.sets(st.integers(0, 5)), max_size=60),
)
def test_the_sum_of_credits_is_kept_whoever_is_eligible(weights: list[int], absences: list[set[int]]) -> None:
    everyone = members(*weights)
    credits_now: dict[str, int] = {}

    for absent in absences:
        eligible = [member for index, member in enumerate(everyone) if index not in absent and member[1]]
        if eligible:
            before = credits_now
            chosen, credits_now = pick(eligible, before)
            names = {name for name, _ in eligible}
            assert chosen in names
            assert {k: v for k, v in credits_now.items() if k not in names} == {
                k: v for k, v in before.items() if k not in names
            }

    assert sum(credits_now.values()) == 0


def test_the_given_credits_are_not_changed() -> None:
    current = {"a": 1, "gone": 7}

    _, credits_after = pick(members(1, 1), current)

    assert current == {"a": 1, "gone": 7}
    assert credits_after == {"a": 0, "b": 1, "gone": 7}


def test_weight_zero_is_never_picked_and_collects_nothing() -> None:
    taken, credits_after = sequence(members(0, 2, 1), 30)

    assert Counter(taken) == {"b": 20, "c": 10}
    assert "a" not in credits_after


@pytest.mark.parametrize("weights", [[], [("a", 0)], [("a", 0), ("b", 0)]])
def test_nothing_to_pick_from_is_refused(weights: Weights) -> None:
    with pytest.raises(ValueError, match="weight above 0"):
        pick(weights, {"a": 5})


def test_unpicked_at_once_the_credits_are_as_they_were() -> None:
    current = {"a": -2, "b": 1, "c": 1, "gone": 7}
    chosen, credits_after = pick(members(5, 1, 1), current)

    assert unpick(members(5, 1, 1), chosen, credits_after) == current


@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=5),
    st.lists(st.tuples(st.sets(st.integers(0, 4)), st.booleans()), max_size=40),
    st.randoms(use_true_random=False),
)
def test_unpicked_in_any_order_only_the_picks_that_stand_have_changed_the_credits(
    weights: list[int], steps: list[tuple[set[int], bool]], chance: Random
) -> None:
    everyone = members(*weights)
    credits_now: dict[str, int] = {}
    expected = {name: 0 for name, _ in everyone}
    undone: list[tuple[Weights, str]] = []
    for absent, stands in steps:
        eligible = [member for index, member in enumerate(everyone) if index not in absent] or everyone
        chosen, credits_now = pick(eligible, credits_now)
        if not stands:
            undone.append((eligible, chosen))
            continue
        for name, weight in eligible:
            expected[name] += weight
            expected[chosen] -= weight
    chance.shuffle(undone)

    for eligible, chosen in undone:
        credits_now = unpick(eligible, chosen, credits_now)

    assert {name: credits_now.get(name, 0) for name in expected} == expected


def test_members_that_were_not_eligible_are_left_alone_when_it_is_unpicked() -> None:
    assert unpick([("a", 5), ("c", 1)], "a", {"a": -1, "b": 4, "c": 1}) == {"a": 0, "b": 4, "c": 0}

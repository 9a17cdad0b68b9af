import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.routing.portions import PORTION_LEAVES, portions
from domain.routing.strategy import Leaf, Node, Ordered, Weighted, leaves
from tests.unit.routing.trees import leaf

_LEAVES = st.builds(leaf, st.text("abc", max_size=3))
_PLANS: st.SearchStrategy[Node] = st.recursive(
    _LEAVES,
    lambda nodes: st.one_of(
        st.builds(lambda children: Ordered(tuple(children)), st.lists(nodes, min_size=1, max_size=12)),
        st.builds(
            lambda children: Weighted("k", tuple(("n", 1, child) for child in children)),
            st.lists(nodes, min_size=1, max_size=8),
        ),
    ),
    max_leaves=60,
)


def row(first: int, count: int) -> tuple[Leaf, ...]:
    return tuple(leaf(f"i{number}") for number in range(first, first + count))


def shares(first: int, count: int) -> Weighted:
    return Weighted("k", tuple((one.instance.id, 1, one) for one in row(first, count)))


@given(_PLANS, st.integers(1, 20))
def test_portions_together_are_the_plan_in_its_order(plan: Node, most: int) -> None:
    parts = portions(plan, most)

    assert [one for part in parts for one in leaves(part)] == list(leaves(plan))


@given(_PLANS, st.integers(1, 20))
def test_no_portion_is_too_large_unless_it_is_one_round_robin(plan: Node, most: int) -> None:
    for part in portions(plan, most):
        assert len(list(leaves(part))) <= most or isinstance(part, Weighted)


@given(_PLANS, st.integers(1, 20))
def test_no_two_neighbours_would_have_fitted_together_from_the_first_on(plan: Node, most: int) -> None:
    sizes = [len(list(leaves(part))) for part in portions(plan, most)]
    undivided = max((len(list(leaves(one))) for one in _round_robins(plan)), default=1)

    assert all(before + undivided > most for before in sizes[:-1])


def _round_robins(node: Node) -> list[Weighted]:
    match node:
        case Leaf():
            return []
        case Ordered():
            return [one for child in node.children for one in _round_robins(child)]
        case Weighted():
            return [node]


@pytest.mark.parametrize("plan", [leaf("a"), shares(0, 40), Ordered(row(0, 16)), Ordered((shares(0, 8), *row(8, 8)))])
def test_what_fits_or_cannot_be_divided_stays_as_it_is(plan: Node) -> None:
    (only,) = portions(plan)
    assert only is plan


def test_fifty_in_a_row_are_four_portions() -> None:
    fifty = row(0, 50)
    assert portions(Ordered(fifty)) == (
        Ordered(fifty[:16]),
        Ordered(fifty[16:32]),
        Ordered(fifty[32:48]),
        Ordered(fifty[48:]),
    )
    assert PORTION_LEAVES == 16


def test_a_row_within_a_row_is_divided_where_it_overflows() -> None:
    plan = Ordered((*row(0, 10), Ordered(row(10, 10)), leaf("last")))

    assert portions(plan) == (Ordered(row(0, 16)), Ordered((*row(16, 4), leaf("last"))))


def test_a_round_robin_is_kept_whole_beside_what_is_divided() -> None:
    plan = Ordered((*row(0, 10), shares(10, 7), *row(17, 9), shares(26, 20), leaf("last")))

    assert portions(plan) == (
        Ordered(row(0, 10)),
        Ordered((shares(10, 7), *row(17, 9))),
        shares(26, 20),
        leaf("last"),
    )

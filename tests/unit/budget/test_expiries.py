from hypothesis import given
from hypothesis import strategies as st

from domain.budget.expiries import Expiries

NAMES = st.sampled_from("abcde")


def test_what_is_due_comes_in_order_and_stays() -> None:
    expiries = Expiries()
    for name, due_us in (("b", 5), ("a", 5), ("c", 1), ("d", 6)):
        expiries.set(name, due_us)

    assert expiries.first(5, 10) == ["c", "a", "b"]
    assert expiries.first(5, 2) == ["c", "a"]
    assert len(expiries) == 4


@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), st.integers(0, 9))), max_size=60), st.integers(0, 9))
def test_it_is_a_sorted_set(steps: list[tuple[str, int | None]], until_us: int) -> None:
    expiries, model = Expiries(), dict[str, int]()
    for name, due_us in steps:
        if due_us is None:
            expiries.remove(name)
            model.pop(name, None)
        else:
            expiries.set(name, due_us)
            model[name] = due_us
        expected = [name for due, name in sorted((due, name) for name, due in model.items()) if due <= until_us]
        assert expiries.first(until_us, 100) == expected


def test_names_that_move_take_no_more_memory() -> None:
    expiries = Expiries()
    for due_us in range(10_000):
        expiries.set("a", due_us)

    assert len(expiries._heap) < 100
    assert expiries.first(9_999, 5) == ["a"]

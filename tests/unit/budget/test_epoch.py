import pytest

from domain.budget.epoch import EpochFinding, EpochMark, find


def mark(number: int, server: str = "a", age_us: int = 10, *, vouched: bool = True) -> EpochMark:
    return EpochMark(number, age_us, vouched, server)


def missing(server: str = "a") -> EpochMark:
    return EpochMark(0, 0, False, server)


def test_marks_that_agree_are_left_alone() -> None:
    assert find([mark(3), mark(3, "b", 9)], known=3) == EpochFinding(3, 9, (), ())


def test_a_server_without_a_vouched_mark_is_a_loss() -> None:
    stale = mark(3, "b", vouched=False)

    assert find([mark(3), stale, stale], known=2) == EpochFinding(4, 0, (1, 2), (0, 1, 2))
    assert find([missing()], known=0) == EpochFinding(1, 0, (0,), (0,))


def test_a_loss_is_numbered_above_all_that_was_heard_of() -> None:
    assert find([missing(), mark(3, "b")], known=7).number == 8
    assert find([missing(), mark(9, "b")], known=7).number == 10


def test_a_server_that_is_being_marked_is_no_second_loss_and_the_others_follow_it() -> None:
    assert find([mark(4, "a", 2), missing(), mark(3, "b", 90)], known=3) == EpochFinding(4, 2, (), (1, 2))


@pytest.mark.parametrize("vouched", [True, False])
def test_a_mark_that_came_with_slots_of_another_server_is_no_loss(vouched: bool) -> None:
    found = find([mark(3), mark(3, vouched=vouched)], known=3)

    assert (found.number, found.lost, found.behind) == (3, (), () if vouched else (1,))


def test_marks_behind_what_is_known_are_a_loss() -> None:
    assert find([mark(3), mark(4)], known=5) == EpochFinding(6, 0, (), (0, 1))
    assert find([mark(3), mark(5)], known=5).number == 5

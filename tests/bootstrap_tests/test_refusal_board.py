from application.reloads import Reload
from bootstrap.refusal_board import RefusalBoard


def test_board_shows_what_was_refused_last_and_nothing_before() -> None:
    board = RefusalBoard()
    assert board.read() is None
    board.write(Reload(1, ("first " * 500,) * 50))
    board.write(Reload(2, ("second",)))

    assert board.read() == Reload(2, ("second",))


def test_board_leaves_out_the_last_lines_where_not_all_fit() -> None:
    board, lines = RefusalBoard(), tuple(f"{number}" + "\U0001f600" * 2_000 for number in range(30))

    board.write(Reload(1, lines))

    shown = board.read()
    assert shown is not None
    assert shown.messages == tuple(line[:1_000] for line in lines[: len(shown.messages)])
    assert len(shown.messages) == 5

from application.reloads import Reload
from bootstrap.reload_board import ReloadBoard


def test_board_shows_the_last_reload_with_its_number_and_nothing_before() -> None:
    board = ReloadBoard()
    assert board.read() == (0, None)
    board.write(Reload(2, ("first " * 500,) * 50))
    second = Reload(1, (), ("router",), ("server.port",), ("odd",))
    board.write(second)

    assert board.read() == (2, second)


def test_board_leaves_out_the_last_lines_where_not_all_fit() -> None:
    board, lines = ReloadBoard(), tuple(f"{number}" + "\U0001f600" * 2_000 for number in range(30))

    board.write(Reload(1, lines, changed=("router",)))

    _, shown = board.read()
    assert shown is not None
    assert shown.messages == tuple(line[:1_000] for line in lines[: len(shown.messages)])
    assert len(shown.messages) == 5
    assert shown.changed == ("router",)

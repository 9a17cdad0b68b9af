"""Writing where nobody may have to wait."""

import io
import os
from pathlib import Path
from threading import Thread

from adapters.outbound.telemetry.outlet import Outlet
from tests.unit.telemetry.pipes import ROOM_BYTES, pipe


def test_text_goes_to_a_pipe_that_has_room() -> None:
    with pipe() as one:
        assert Outlet(one.stream).put("a line of café\n")
        assert one.read(100).decode() == "a line of café\n"


def test_text_for_a_full_pipe_is_given_up_at_once() -> None:
    with pipe() as one:
        filled, outlet = one.fill(), Outlet(one.stream)
        put: list[bool] = []
        writer = Thread(target=lambda: put.append(outlet.put("lost\n")), daemon=True)
        writer.start()
        writer.join(5)
        assert put == [False]

        one.read(filled)
        assert outlet.put("written\n")
        assert one.read(100) == b"written\n"


def test_line_that_the_pipe_takes_in_part_ends_before_the_next() -> None:
    with pipe() as one:
        filled, outlet = one.fill(), Outlet(one.stream)
        one.read(ROOM_BYTES)
        long = "x" * (2 * ROOM_BYTES) + "\n"

        assert outlet.put(long)
        assert not outlet.put("lost\n")
        one.read(filled - ROOM_BYTES)
        outlet.put("next\n")

        assert one.read(100_000).decode() == f"{long}next\n"


def test_what_is_no_descriptor_is_written_to_as_ever() -> None:
    stream = io.StringIO()

    assert Outlet(stream).put("text\n")

    assert stream.getvalue() == "text\n"


def test_stream_that_is_not_there_is_closed_or_has_no_reader_fails_nobody(tmp_path: Path) -> None:
    closed = (tmp_path / "closed").open("w")
    closed.close()
    assert not Outlet(None).put("lost")
    assert not Outlet(closed).put("lost")
    with Path("/dev/full").open("w") as full:
        assert not Outlet(full).put("lost")
    assert (Outlet(None).is_terminal, Outlet(closed).is_terminal) == (False, False)


def test_pipe_whose_reader_has_left_fails_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        assert not Outlet(stream).put("lost")

"""Who writes the log, and what becomes of it when nobody reads."""

import io
import json
import logging
from threading import Event, Thread, current_thread, main_thread
from typing import Any

from adapters.outbound.telemetry.access_log import AccessRecord
from adapters.outbound.telemetry.body_log import BodyRecord
from adapters.outbound.telemetry.log import JsonFormatter, configure_logging
from adapters.outbound.telemetry.off_loop import OffLoopHandler
from domain.exchanged_bodies import ExchangedBodies
from domain.identifiers import RequestId
from domain.redaction import Redactor
from tests.unit.telemetry.pipes import pipe
from tests.unit.telemetry.support import SECRET, answered, read_log

_log = logging.getLogger("moongate.test")


class SlowStream(io.StringIO):
    """Takes nothing while `gate` is closed; remembers who wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.busy = Event(), Event()
        self.gate.set()
        self.writers: set[Any] = set()

    def write(self, text: str) -> int:
        self.writers.add(current_thread())
        self.busy.set()
        assert self.gate.wait(10)
        return super().write(text)


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("moongate.test", logging.INFO, __file__, 1, message, arguments, None)


def handler(stream: io.StringIO, capacity: int = 100) -> OffLoopHandler:
    return OffLoopHandler(stream, JsonFormatter(Redactor([SECRET])), capacity)


def test_lines_are_written_by_another_thread_from_start_to_stop() -> None:
    stream = SlowStream()
    made = handler(stream)

    made.start()
    made.handle(record("in between"))
    made.stop()
    between = set(stream.writers)
    made.handle(record("after"))

    assert main_thread() not in between
    assert main_thread() in stream.writers
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["in between", "after"]


def test_full_queue_keeps_nobody_waiting_and_tells_what_was_lost() -> None:
    stream = SlowStream()
    stream.gate.clear()
    made = handler(stream, capacity=3)
    made.start()
    made.handle(record("first"))
    assert stream.busy.wait(10)

    for number in range(10):
        made.handle(record("line %d", number))
    stream.gate.set()
    made.stop()

    written = stream.getvalue()
    assert made.dropped == 7
    assert written.count("moongate.test") == 4
    assert written.count("7 log lines were dropped") == 1


def test_line_is_as_it_was_when_it_was_logged() -> None:
    stream = SlowStream()
    made = handler(stream)
    changing = ["before"]
    made.start()
    stream.gate.clear()
    made.handle(record("first"))

    made.handle(record("%s", changing))
    changing[0] = "after"
    stream.gate.set()
    made.stop()

    assert "before" in stream.getvalue()
    assert "after" not in stream.getvalue()


def test_line_that_can_not_be_made_neither_fails_nor_hides() -> None:
    stream = SlowStream()
    made = handler(stream)

    made.handle(record("%d", "no number"))
    made.start()
    made.handle(record("%d", "no number"))
    made.handle(record("next"))
    made.stop()

    first, second, third = stream.getvalue().splitlines()
    assert first == "a line of moongate.test:1 can't be formatted"
    assert "no number" in second
    assert "next" in third


def test_closed_stream_fails_nobody() -> None:
    stream = SlowStream()
    made = handler(stream)
    stream.close()

    made.handle(record("nobody reads this"))


def test_traceback_is_one_line_of_json_without_secrets() -> None:
    with read_log() as log:
        log.handler.start()
        error = ValueError(f"no way to redis://user:{SECRET}@host, nor by 'x-api-key': 'abcdef-unknown'")
        _log.error("failed with %s", SECRET, exc_info=error)
        log.handler.stop()

    (line,) = log.lines
    assert line["message"] == "failed with [redacted]"
    assert line["exception"].startswith("ValueError: no way to")
    assert "redis://[redacted]@host" in line["exception"]
    assert SECRET not in log.text
    assert "abcdef-unknown" not in log.text


def test_traceback_that_is_written_at_once_loses_what_only_python_spells_so() -> None:
    odd = 'se"cr\\et\tkey'
    with read_log(redactor=Redactor([odd])) as log:
        _log.error("failed", exc_info=ValueError(repr(odd)))

    assert log.lines[0]["exception"] == "ValueError: '[redacted]'"


def test_text_keeps_to_its_line_and_loses_secrets() -> None:
    with read_log(style="text") as log:
        _log.warning("one\ntwo %s", SECRET)

    assert log.text.endswith("WARNING moongate.test: one\\ntwo [redacted]\n")
    assert log.text.count("\n") == 1


def test_secret_that_json_or_python_spell_otherwise_is_found() -> None:
    odd = 'se"cr\\et\tkey'
    with read_log(redactor=Redactor([odd])) as log:
        _log.info("%s and %r", odd, odd)

    assert log.lines[0]["message"] == "[redacted] and '[redacted]'"


def test_libraries_that_tell_values_are_kept_to_warnings_at_debug_level() -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure_logging("debug", "json", Redactor())
        assert logging.getLogger("moongate.x").isEnabledFor(logging.DEBUG)
        for name in ("sqlalchemy.engine", "httpx", "aiosqlite", "asyncio", "opentelemetry.sdk"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


def test_line_that_is_written_at_once_waits_for_nobody_and_is_counted_where_it_is_lost() -> None:
    with pipe() as full:
        made, filled = OffLoopHandler(full.stream, JsonFormatter(Redactor())), full.fill()
        logging_thread = Thread(target=made.handle, args=[record("lost")], daemon=True)
        logging_thread.start()
        logging_thread.join(5)
        assert not logging_thread.is_alive()
        full.read(filled)

        made.handle(record("told"))

        told = [json.loads(line)["message"] for line in full.read(10_000).splitlines()]
        assert told == ["told", "1 log lines were dropped: they came faster than they could be written"]


def test_process_that_starts_its_thread_does_not_tell_what_another_has_dropped() -> None:
    with pipe() as full:
        made, filled = OffLoopHandler(full.stream, JsonFormatter(Redactor())), full.fill()
        made.handle(record("lost by the process that forked this one"))
        full.read(filled)

        made.start()
        made.handle(record("mine"))
        made.stop()

        assert [json.loads(line)["message"] for line in full.read(10_000).splitlines()] == ["mine"]


def test_line_after_a_thread_that_hangs_waits_for_nobody() -> None:
    stream = SlowStream()
    stream.gate.clear()
    made = OffLoopHandler(stream, JsonFormatter(Redactor()), flushed_within_s=0.01)
    made.start()
    made.handle(record("stuck"))
    assert stream.busy.wait(10)
    made.stop()

    made.handle(record("after"))

    assert made.dropped == 1
    stream.gate.set()


def test_bodies_and_long_lines_that_wait_are_bounded_by_their_bytes() -> None:
    stream = SlowStream()
    stream.gate.clear()
    made = handler(stream, capacity=10_000)
    made.start()
    made.handle(record("first"))
    assert stream.busy.wait(10)

    for number in range(300):
        bodies = ExchangedBodies(bytes(40_000))
        bodies.answer(bytes(40_000))
        made.handle(BodyRecord(RequestId(str(number)), bodies, Redactor()))
    bodies_dropped = made.dropped
    made.handle(AccessRecord(logging.INFO, answered(), None, Redactor()))
    assert bodies_dropped == made.dropped == 45
    made.handle(record("x" * 100_000))
    assert made.dropped == 46
    stream.gate.set()
    made.stop()

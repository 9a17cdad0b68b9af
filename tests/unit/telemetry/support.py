"""Requests that have ended, and a log that is read."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.outbound.telemetry.log import JsonFormatter, TextFormatter
from adapters.outbound.telemetry.off_loop import OffLoopHandler
from application.answered import Answered
from domain.callers import Caller, CallerKind
from domain.chat import Usage
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.redaction import Redactor
from domain.routing.decision import AttemptTrace, DecisionTrace

REQUEST_ID = RequestId("019ab1c2-3d4e-7f00-8a9b-0c1d2e3f4a5b")
RULE = "/v1/chat/completions"
SECRET = "hunter2hunter2"
KEY = Caller(CallerKind.KEY, "key-1", tenant="team:search")


def answered(**other: Any) -> Answered:
    known: dict[str, Any] = {"rule": RULE, "caller": KEY, "status": 200, "sent_bytes": 812, "duration_us": 12_345}
    return Answered(REQUEST_ID, "POST", RULE, **(known | {"is_whole": True} | other))


def attempt(instance: str = "gpt4-eu", **other: Any) -> AttemptTrace:
    known: dict[str, Any] = {"started_us": 1_000_000, "duration_us": 11_000, "outcome": "success"}
    return AttemptTrace(1, ModelName("gpt-4"), InstanceId(instance), "openai", **(known | other))


def trace(*attempts: AttemptTrace, **other: Any) -> DecisionTrace:
    known: dict[str, Any] = {"account": "team:search", "caller": "key:key-1", "outcome": "success", "stream": False}
    known |= {"usage": Usage(10, 20), "cost_nano": 120_000, "models_visited": [ModelName("gpt-4")]}
    story = DecisionTrace(REQUEST_ID, "gpt-4", "chat", started_us=999_000, **(known | other))
    story.attempts.extend(attempts or [attempt()])
    return story


@dataclass
class ReadLog:
    """What was written."""

    handler: OffLoopHandler
    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def read_log(level: str = "info", style: str = "json", *, redactor: Redactor | None = None) -> Iterator[ReadLog]:
    """The root logger writes here until the end of the block, at once."""
    known = redactor or Redactor([SECRET])
    stream, root = io.StringIO(), logging.getLogger()
    handler = OffLoopHandler(stream, JsonFormatter(known) if style == "json" else TextFormatter(known))
    before, root.handlers[:] = (root.handlers[:], root.level), [handler]
    root.setLevel(level.upper())
    try:
        yield ReadLog(handler, stream)
    finally:
        handler.stop()
        root.handlers[:] = before[0]
        root.setLevel(before[1])

"""Asks Redis itself all the time, from a thread: how late it is while gateways ask it, too."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import redis

EVERY_S = 0.01
ANSWER_WITHIN_S = 1.0


@dataclass(slots=True)
class StoreWatch:
    """`with` runs it.

    Attributes:
        port: Of the server on this machine.
        answers: When it was asked, by `time.monotonic`, and how long it took. Those that it did not answer are left
            out.
    """

    port: int
    answers: list[tuple[float, float]] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        if self._thread:
            self._thread.join()

    def worst_s(self, since_s: float) -> float:
        """The longest it took to answer what it was asked after that moment."""
        return max(took_s for began_s, took_s in self.answers if began_s >= since_s)

    def _watch(self) -> None:
        with redis.Redis(port=self.port, socket_timeout=ANSWER_WITHIN_S) as client:
            while not self._ending.wait(EVERY_S):
                began_s = time.monotonic()
                try:
                    client.ping()
                except redis.RedisError:
                    continue
                self.answers.append((began_s, time.monotonic() - began_s))

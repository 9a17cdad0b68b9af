"""One question on its way to Redis."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from adapters.outbound.redis.lua_scripts import Script
from adapters.outbound.redis.words import Word

Answer = Coroutine[Any, Any, Any]
"""What is awaited for what was asked."""


@dataclass(slots=True, eq=False)
class Asked:
    """A script (then with its first key) or a command, and who waits for its answer.

    Attributes:
        asked_s: When, by the clock of the event loop.
    """

    words: tuple[Word, ...]
    answer: asyncio.Future[Any]
    asked_s: float
    script: Script | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """For the log."""
        return self.script.name if self.script else str(self.words[0])

    def succeed(self, said: object) -> None:
        """Hands out the answer; nobody may be waiting any more."""
        if not self.answer.done():
            self.answer.set_result(said)

    def fail(self, error: Exception) -> None:
        """Hands out an error instead."""
        if not self.answer.done():
            self.answer.set_exception(error)

"""One question on its way to Redis."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from adapters.outbound.redis.lua_scripts import Script
from adapters.outbound.redis.words import Word
from application.errors import StateUnavailable

Answer = Coroutine[Any, Any, Any]
"""What is awaited for what was asked."""


@dataclass(slots=True, eq=False)
class Asked:
    """A script (then with its first key) or a command, and who waits for its answer.

    Attributes:
        asked_s: When, by the clock of the event loop.
        slot: Of its keys, where a Cluster is asked; None for any node.
        redirects: How often a node of a Cluster has sent it on to another.
    """

    words: tuple[Word, ...]
    answer: asyncio.Future[Any]
    asked_s: float
    script: Script | None = None
    key: str | None = None
    slot: int | None = None
    redirects: int = 0

    @property
    def name(self) -> str:
        """For the log."""
        return self.script.name if self.script else str(self.words[0])

    @property
    def by_digest(self) -> bool:
        """Whether it names its script by a digest, which Redis may have forgotten."""
        return self.words[0] == "EVALSHA"

    def send_whole(self) -> None:
        """From now on it brings the source of its script, which Redis then knows again."""
        if self.script is not None:
            self.words = ("EVAL", self.script.source, *self.words[2:])

    async def waited_for(self, bound_s: float | None) -> Any:
        """The answer; raises StateUnavailable where it does not come within `bound_s`, if that is given."""
        if bound_s is None:
            return await self.answer
        try:
            async with asyncio.timeout(bound_s):
                return await self.answer
        except TimeoutError as error:
            raise StateUnavailable("redis does not answer (still in doubt)") from error

    def succeed(self, said: object) -> None:
        """Hands out the answer; nobody may be waiting any more."""
        if not self.answer.done():
            self.answer.set_result(said)

    def fail(self, error: Exception) -> None:
        """Hands out an error instead."""
        if not self.answer.done():
            self.answer.set_exception(error)

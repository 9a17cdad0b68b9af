import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.outbound.telemetry.exposition import exposed
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.metric_sampling import MetricSampling


@dataclass(frozen=True, slots=True)
class Scraping:
    """Answers whoever collects the metrics.

    `look` asks what has to be asked of stores first. Must not fail, nor wait for long.
    """

    board: MetricBoard
    sampling: MetricSampling
    look: Callable[[], Awaitable[None]]

    async def __call__(self, accept: str) -> tuple[str, bytes]:
        """Content type and text. Written by a thread: thousands of lines would hold up all requests."""
        await self.look()
        self.sampling.sample()
        return await asyncio.to_thread(lambda: exposed(self.board.pages(), accept))

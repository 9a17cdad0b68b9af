"""The memory that the workers of one gateway write their numbers into."""

import mmap

from adapters.outbound.telemetry.metric import Kind
from adapters.outbound.telemetry.metric_page import PAGE_BYTES, MetricPage
from adapters.outbound.telemetry.metrics import METRICS


class MetricBoard:
    """A page for each worker, in memory without a file that is shared with all processes forked after it was made.

    Each worker writes its own page and reads all. What a worker counted outlives it, however it dies, because the
    memory is not its own; the one that takes its place goes on counting on the same page. It is gone when the last
    process is, so nothing of an earlier start is ever found. Memory that nobody has written to takes none.
    """

    def __init__(self, workers: int = 1) -> None:
        self._memory = memoryview(mmap.mmap(-1, workers * PAGE_BYTES))
        self._workers = workers
        self._mine = 0
        self._pages: dict[int, MetricPage] = {}

    def take(self, index: int) -> None:
        """For a worker that was just forked: says which one it is."""
        self._mine = index

    def begin(self) -> MetricPage:
        """The page of this process, to be written to. What has no labels is there from the start, as 0."""
        self._pages.pop(self._mine, None)
        page = self._page(self._mine)
        page.forget_gauges()
        for metric in METRICS:
            if metric.kind is not Kind.GAUGE and not metric.labels:
                page.add(metric, (), 0.0)
        return page

    def pages(self) -> list[MetricPage]:
        """All pages as they are now, this process's own first."""
        others = (index for index in range(self._workers) if index != self._mine)
        return [self._page(index) for index in (self._mine, *others)]

    def lost(self, index: int) -> None:
        """The worker is dead."""
        self._page(index).forget_gauges()

    def _page(self, index: int) -> MetricPage:
        if index not in self._pages:
            self._pages[index] = MetricPage(self._memory[index * PAGE_BYTES : (index + 1) * PAGE_BYTES])
        return self._pages[index]

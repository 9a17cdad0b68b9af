from collections.abc import Callable, Iterable, Mapping

from adapters.outbound.telemetry.metric import Merge, Metric
from adapters.outbound.telemetry.metric_page import Labels, MetricPage
from application.ports.clock import Clock
from domain.durations import SECOND_US

Reading = Callable[[], Mapping[Labels, float]]
"""How a gauge stands now, by label values. Must not fail."""

Gauges = Mapping[Metric, Reading]

Totals = Mapping[Metric, Callable[[], float]]
"""What this process has counted elsewhere since its start."""


class MetricSampling:
    """Writes down once a second how this process stands, for whichever of its siblings is asked.

    What only the process that is asked may tell is read when it is. What is counted elsewhere is added up by its
    differences, so that a process which takes a dead one's place goes on from its sum.
    """

    def __init__(self, page: MetricPage, gauges: Gauges, totals: Totals, clock: Clock) -> None:
        self._page = page
        self._gauges = dict(gauges)
        self._totals = totals
        self._clock = clock
        self._told: dict[Metric, float] = {}

    def also(self, metric: Metric, reading: Reading) -> None:
        """One more gauge from now on."""
        self._gauges[metric] = reading

    def sample(self, *, for_others: bool = False) -> None:
        """Writes everything down; `for_others`: only what others may tell of this process."""
        for metric, total in self._totals.items():
            now = total()
            self._page.add(metric, (), now - self._told.get(metric, 0.0))
            self._told[metric] = now
        for metric, source in self._gauges.items():
            if not (for_others and metric.merge is Merge.OWN):
                self._page.show(metric, source())

    async def run(self) -> None:
        """Does so for ever; ends by cancellation."""
        while True:
            self.sample(for_others=True)
            await self._clock.sleep(SECOND_US)


def one(value: float) -> Mapping[Labels, float]:
    """Of a gauge without labels."""
    return {(): value}


def by_label(values: Iterable[tuple[str, float]]) -> Mapping[Labels, float]:
    """Of a gauge with one label."""
    return {(label,): value for label, value in values}

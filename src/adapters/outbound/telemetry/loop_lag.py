from adapters.outbound.telemetry.metric_page import MetricPage
from adapters.outbound.telemetry.process_metrics_declared import LOOP_LAG
from application.ports.clock import Clock
from domain.durations import SECOND_US

NAP_US = SECOND_US // 10


class LoopLag:
    """Measures how long the event loop keeps others waiting. Costs about 10 wake-ups a second."""

    def __init__(self, page: MetricPage, clock: Clock) -> None:
        self._page = page
        self._clock = clock

    async def run(self) -> None:
        """Measures for ever; ends by cancellation."""
        while True:
            began_us = self._clock.monotonic_us()
            await self._clock.sleep(NAP_US)
            late_us = self._clock.monotonic_us() - began_us - NAP_US
            self._page.observe(LOOP_LAG, (), max(0, late_us) / SECOND_US)

"""What a gateway process does beside its requests so that its metrics are right."""

from dataclasses import dataclass

from adapters.outbound.telemetry.loop_lag import LoopLag
from adapters.outbound.telemetry.metric_page import MetricPage
from adapters.outbound.telemetry.metric_sampling import MetricSampling
from adapters.outbound.telemetry.process_metrics_declared import CIRCUIT_STATE, REDIS_ROUND_TRIP, WORKER_STARTS
from application.endless import Work
from bootstrap.metric_sources import Circuits
from bootstrap.stores import RedisStore


@dataclass(frozen=True, slots=True)
class Measuring:
    """Keeps the page of this process up to date. `redis` is None where there is none."""

    page: MetricPage
    sampling: MetricSampling
    loop_lag: LoopLag
    circuits: Circuits
    redis: RedisStore | None

    async def open(self) -> None:
        """Counts this start."""
        self.page.add(WORKER_STARTS)
        self.sampling.also(CIRCUIT_STATE, self.circuits.shown)
        if self.redis is not None:
            self.redis.executor.on_answer(lambda took_s: self.page.observe(REDIS_ROUND_TRIP, (), took_s))

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; each ends by cancellation."""
        return {"sampling metrics": self.sampling.run, "measuring the event loop": self.loop_lag.run}

    async def close(self) -> None:
        """What was counted stays; how this process stood is of no interest any more."""
        self.sampling.sample(for_others=True)
        self.page.forget_gauges()

"""What a gateway does beside its requests to know which providers are there."""

from dataclasses import dataclass

from application.endless import Work
from application.health.health_rounds import HealthRounds


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """Runs the rounds, unless they are turned off."""

    rounds: HealthRounds
    interval_us: int

    async def open(self) -> None:
        """Nothing: the first check comes soon after the first request could."""

    def works(self) -> dict[str, Work]:
        """What runs for as long as requests are served; it ends by cancellation."""
        return {"checking instances": self.rounds.run} if self.interval_us else {}

    async def close(self) -> None:
        """Nothing: a check that was under way is made again by somebody else."""

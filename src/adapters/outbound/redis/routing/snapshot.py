"""What this process knows of instances between two looks at Redis."""

from dataclasses import dataclass, replace
from typing import Any

from domain.failure import Cooldown
from domain.latency import LatencyKind, PeakEwma, read
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState, slow_start_factor
from domain.routing.instance_state import InstanceView, taken_out

_FIXED_WORDS = 13


@dataclass(frozen=True, slots=True)
class Picture:
    """One instance as `routing/view` showed it. Times are Redis's, but for `taken_us`, which is our monotonic clock's.

    `running_here`: attempts of this process at that moment; the difference to now corrects `in_flight`.
    """

    now_us: int
    taken_us: int
    running_here: int
    state: CircuitState
    open_until_us: int
    forced: bool
    closed_at_us: int | None
    cooldown: Cooldown | None
    cooldown_until_us: int
    drained: bool
    in_flight: int
    requests: int
    tokens: int
    opened_at_us: int | None
    reason: str
    latency: dict[LatencyKind, PeakEwma]

    @classmethod
    def of(cls, answer: list[Any], taken_us: int, running_here: int) -> "Picture":
        """What `routing/view` answered."""
        words = [word.decode() if isinstance(word, bytes) else word for word in answer]
        rest = words[_FIXED_WORDS:]
        latency = {}
        for kind, text in zip(rest[::2], rest[1::2], strict=True):
            estimate_us, updated_us = text.split(" ")
            latency[LatencyKind(kind)] = PeakEwma(int(estimate_us), int(updated_us))
        return cls(
            now_us=int(words[0]),
            taken_us=taken_us,
            running_here=running_here,
            state=CircuitState(words[1]),
            open_until_us=int(words[2]),
            forced=bool(words[3]),
            closed_at_us=int(words[4]) if words[4] else None,
            cooldown=Cooldown(words[5]) if words[5] else None,
            cooldown_until_us=int(words[6]),
            drained=bool(words[7]),
            in_flight=int(words[8]),
            requests=int(words[9]),
            tokens=int(words[10]),
            opened_at_us=int(words[11]) if words[11] else None,
            reason=words[12],
            latency=latency,
        )

    def opened(self, wait_us: int, monotonic_us: int) -> "Picture":
        """The same, with its circuit open for `wait_us` from now: admission said so."""
        now_us = self.now_us + monotonic_us - self.taken_us
        return replace(self, state=CircuitState.OPEN, open_until_us=now_us + wait_us)

    def view(
        self, config: CircuitBreakerConfig, kind: LatencyKind, monotonic_us: int, running_here: int
    ) -> InstanceView:
        """The instance now, as far as it can be known from here."""
        now_us = self.now_us + monotonic_us - self.taken_us
        is_open = self.state is CircuitState.OPEN and not self.forced
        return InstanceView(
            circuit=self.state,
            due=is_open and now_us >= self.open_until_us,
            open_until_us=self.open_until_us,
            cooldown=self.cooldown if now_us < self.cooldown_until_us else None,
            weight_factor=slow_start_factor(config, self, now_us),
            in_flight=max(0, self.in_flight + running_here - self.running_here),
            requests_used=self.requests,
            tokens_used=self.tokens,
            latency_us=read(self.latency.get(kind), now_us),
            taken_out=taken_out(drained=self.drained, forced_open=self.forced and self.state is CircuitState.OPEN),
        )


def unknown_view(running_here: int) -> InstanceView:
    """An instance that was never looked at: healthy, and as busy as we make it."""
    return InstanceView(
        circuit=CircuitState.CLOSED,
        due=False,
        open_until_us=0,
        cooldown=None,
        weight_factor=1.0,
        in_flight=running_here,
        requests_used=0,
        tokens_used=0,
        latency_us=None,
    )

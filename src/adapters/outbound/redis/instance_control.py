import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.routing.wire import transition_of
from adapters.outbound.redis.words import Word
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.instance_control import InstanceControl
from domain.catalog import Instance
from domain.durations import MINUTE_US
from domain.events import CircuitChanged
from domain.failure import Cooldown
from domain.latency import LatencyKind, LatencySketch, SlidingSketch
from domain.resilience.circuit_breaker import Circuit, CircuitState
from domain.routing.instance_report import InstanceReport, report_of
from domain.routing.instance_state import InstanceState


class RedisInstanceControl:
    """Sees and changes the states that all gateways route by. Times are those of Redis, which count from the epoch."""

    def __init__(
        self, executor: RedisExecutor, clock: Clock, events: EventSink, prefix: str, now: Now = server_time
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._events = events
        self._keys = RoutingKeys(prefix)
        self._now = now

    async def inspect(self, instances: Sequence[Instance]) -> list[InstanceReport]:
        answers = await asyncio.gather(*(self._read(instance) for instance in instances))
        return [_report(answer) for answer in answers]

    async def drain(self, instance: Instance, drained: bool) -> None:
        await self._executor.call("circuit_breaker/drain", [self._keys.of(instance).circuit], [int(drained)])

    async def force(self, instance: Instance, state: CircuitState | None) -> None:
        if state is CircuitState.HALF_OPEN:
            raise ValueError("a circuit can be forced open or closed, not half-open")
        await self._move(instance, "circuit_breaker/force", [self._now(), "" if state is None else state.value])

    async def half_open(self, instance: Instance) -> None:
        await self._move(instance, "circuit_breaker/half_open", [self._now()])

    async def _move(self, instance: Instance, script: str, words: list[Word]) -> None:
        keys = self._keys.of(instance)
        answer = await self._executor.call(script, [keys.circuit, keys.window], words)
        transition = transition_of(answer, self._clock.now_us())
        if transition is not None:
            self._events.publish(CircuitChanged(instance.id, transition))

    async def _read(self, instance: Instance) -> list[Any]:
        keys = self._keys.of(instance)
        sketches = (name for kind in LatencyKind for name in keys.sketches[kind])
        answer: list[Any] = await self._executor.call(
            "circuit_breaker/inspect", [keys.circuit, keys.leases, *sketches], [self._now()]
        )
        return answer


def _report(answer: list[Any]) -> InstanceReport:
    """What `circuit_breaker/inspect` answered, by the domain's rules of what is told."""
    *words, in_flight = (word.decode() if isinstance(word, bytes) else word for word in answer[:10])
    now_us, state, opened_at_us, open_until_us, reason, forced, drained, cooldown, cooldown_until_us = words
    circuit = Circuit(
        state=CircuitState(state),
        opened_at_us=int(opened_at_us) if opened_at_us else None,
        open_until_us=int(open_until_us),
        reason=reason,
        forced=CircuitState(forced) if forced else None,
    )
    known = InstanceState(
        circuit=circuit,
        cooldown=Cooldown(cooldown) if cooldown else None,
        cooldown_until_us=int(cooldown_until_us),
        drained=bool(drained),
        sketches={kind: _sketch(words, int(now_us)) for kind, words in zip(LatencyKind, answer[10:], strict=True)},
    )
    return replace(report_of(known, int(now_us), epoch_us=0), in_flight=int(in_flight))


def _sketch(words: list[Any], now_us: int) -> SlidingSketch:
    """The five minutes that Redis has merged, as if all had been counted in the running one."""
    counts = {int(bucket): samples for bucket, samples in zip(words[::2], words[1::2], strict=True)}
    return SlidingSketch({now_us // MINUTE_US: LatencySketch(counts, sum(counts.values()))})


_conforms: type[InstanceControl] = RedisInstanceControl

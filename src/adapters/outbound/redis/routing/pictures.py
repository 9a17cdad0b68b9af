"""The instances as this process last saw them in Redis."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from adapters.outbound.redis.executor import Now, RedisExecutor
from adapters.outbound.redis.routing.keys import RoutingKeys
from adapters.outbound.redis.routing.snapshot import Picture, unknown_view
from application.errors import StateUnavailable
from application.ports.clock import Clock
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.identifiers import InstanceId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.routing.decision import Exclusion, Refusal
from domain.routing.instance_state import InstanceView

IN_USE_US = 10 * SECOND_US
"""So long an instance counts as in use after it was looked at."""

IDLE_EVERY = 10
"""Instances that are not in use are looked at in one round of so many."""

_log = logging.getLogger("moongate.store")


class Pictures:
    """Keeps a picture of every instance: of those in use from each round, of the others from each tenth.

    An instance that was long idle is known all the same: its circuit may have opened through other gateways, and an
    operator may have drained it.

    Args:
        known: The instances that are configured now.
    """

    def __init__(
        self,
        executor: RedisExecutor,
        keys: RoutingKeys,
        config: CircuitBreakerConfig,
        clock: Clock,
        now: Now,
        known: Callable[[], Iterable[Instance]],
    ) -> None:
        self._executor = executor
        self._keys = keys
        self._config = config
        self._clock = clock
        self._now = now
        self._known = known
        self._unreadable: set[InstanceId] = set()
        self._pictures: dict[InstanceId, Picture] = {}
        self._in_use: dict[InstanceId, tuple[Instance, int]] = {}
        self._rounds = 0

    def view(self, instance: Instance, kind: LatencyKind, running_here: int) -> InstanceView:
        """The instance now, as far as it can be known from here; `running_here` are attempts of this process."""
        monotonic_us = self._clock.monotonic_us()
        self._in_use[instance.id] = (instance, monotonic_us)
        picture = self._pictures.get(instance.id)
        if picture is None:
            return unknown_view(running_here)
        return picture.view(self._config, kind, monotonic_us, running_here)

    def reconfigure(self, config: CircuitBreakerConfig) -> None:
        """Pictures are read by this from now on."""
        self._config = config

    def due(self, monotonic_us: int) -> list[Instance]:
        """Whom to look at in this round."""
        for instance, looked_us in list(self._in_use.values()):
            if monotonic_us - looked_us > IN_USE_US:
                del self._in_use[instance.id]
        wanted = {instance.id: instance for instance, _ in self._in_use.values()}
        if self._rounds % IDLE_EVERY == 0:
            wanted |= {instance.id: instance for instance in self._known()}
            for gone in self._pictures.keys() - wanted.keys():
                del self._pictures[gone]
        self._rounds += 1
        return list(wanted.values())

    async def refresh(self, instances: Iterable[Instance], running: Mapping[InstanceId, int]) -> None:
        """Takes new pictures, all in one round trip. What can't be read keeps its old one, and is told once.

        Raises:
            StateUnavailable: Redis does not answer for some of them.
        """
        wanted, now = list(instances), self._now()
        here = [running[instance.id] for instance in wanted]
        answers = await asyncio.gather(*(self._look_at(instance, now) for instance in wanted), return_exceptions=True)
        taken_us = self._clock.monotonic_us()
        away: StateUnavailable | None = None
        for instance, answer, running_here in zip(wanted, answers, here, strict=True):
            if isinstance(answer, StateUnavailable):
                away = answer
            elif isinstance(answer, BaseException):
                self._tell_unreadable(instance, answer)
            else:
                self._unreadable.discard(instance.id)
                self._pictures[instance.id] = Picture.of(answer, taken_us, running_here)
        if away is not None:
            raise away

    async def _look_at(self, instance: Instance, now: str) -> list[Any]:
        keys = self._keys.of(instance)
        names = [keys.circuit, keys.charges, keys.leases, keys.latency]
        answer: list[Any] = await self._executor.call("routing/view", names, [now])
        return answer

    def _tell_unreadable(self, instance: Instance, error: BaseException) -> None:
        if instance.id not in self._unreadable:
            self._unreadable.add(instance.id)
            _log.error("instance %s can't be read, and stays as it was last seen (%s)", instance.id, error)

    def count(self, instance_id: InstanceId, in_flight: int | None, running_here: int) -> None:
        """Admission has just counted the attempts at an instance: what others run there shows, however old the rest."""
        picture = self._pictures.get(instance_id)
        if picture is not None and in_flight is not None:
            self._pictures[instance_id] = replace(picture, in_flight=in_flight, running_here=running_here)

    def learn(self, refusals: Iterable[Refusal]) -> None:
        """Admission met circuits that are open: so they are, whatever the picture shows."""
        monotonic_us = self._clock.monotonic_us()
        for refusal in refusals:
            picture = self._pictures.get(refusal.instance_id)
            if picture is not None and refusal.reason is Exclusion.CIRCUIT_OPEN and refusal.retry_after_us is not None:
                self._pictures[refusal.instance_id] = picture.opened(refusal.retry_after_us, monotonic_us)

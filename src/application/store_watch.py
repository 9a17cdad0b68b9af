import asyncio
from collections.abc import Mapping

from application.ports.clock import Clock
from application.ports.store_probe import StoreProbe
from domain.durations import SECOND_US

START_US = 5 * SECOND_US
_ASK_EVERY_US = SECOND_US


class StoreWatch:
    """What the stores of this process last said, asked again and again in the background.

    A store that is silent at the start keeps the gateway out of service until it has answered once: keys and limits
    are unknown before. One that is lost later does not, because every gateway loses it at once, and taking all of them
    out would turn a degraded service into none.
    """

    def __init__(self, probes: Mapping[str, StoreProbe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._met: set[str] = set()
        self._answering: set[str] = set()

    def said(self) -> Mapping[str, str]:
        """`ok` of each store that answers, of the others what is wrong; no I/O."""
        return {name: "ok" if name in self._answering else _complaint(name in self._met) for name in self._probes}

    def never_met(self) -> bool:
        """Whether a store has not answered since the start."""
        return len(self._met) < len(self._probes)

    async def meet(self) -> None:
        """Returns when every store has answered, or after 5 s, whatever they say."""
        give_up_us = self._clock.monotonic_us() + START_US
        while self._probes:
            await self._ask_all()
            if not self.never_met() or self._clock.monotonic_us() >= give_up_us:
                return
            await self._clock.sleep(_ASK_EVERY_US // 5)

    async def run(self) -> None:
        """Asks for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(_ASK_EVERY_US)
            await self._ask_all()

    async def _ask_all(self) -> None:
        # Each by itself: a store that is slow to answer must not make the others look old.
        await asyncio.gather(*(self._ask(name, probe) for name, probe in self._probes.items()))

    async def _ask(self, name: str, probe: StoreProbe) -> None:
        if await probe.ping():
            self._met.add(name)
            self._answering.add(name)
        else:
            self._answering.discard(name)


def _complaint(met: bool) -> str:
    return "does not answer; going on without it as configured" if met else "does not answer"

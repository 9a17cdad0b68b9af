"""A steady load on several gateways, with a record of every request, and of what `/ready` said meanwhile."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway
from tests.e2e.support import eventually

PER_SECOND = 50
CONNECTIONS = 8
ASK_READY_EVERY_S = 0.02
REPLY_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One request and its answer, by the clock of `time.monotonic`.

    Attributes:
        gateway: Its place among those that are asked.
        status: 0 where no whole answer came.
        degraded: `x-moongate-degraded`; empty where there was none.
        redis: What `/ready` says of it.
    """

    gateway: int
    began_s: float
    took_s: float
    status: int
    degraded: str = ""
    redis: str = ""

    @property
    def ended_s(self) -> float:
        """When the whole answer was there."""
        return self.began_s + self.took_s


class Load:
    """`async with` runs it: chat requests at a steady rate, evenly over the gateways, on connections that are kept.

    There are more connections than a delay of 300 ms keeps busy, so that a slow answer holds up no other request.

    Attributes:
        chats: The requests, in the order of their answers.
        readiness: What `/ready` answered. It asks no store, so its delay is that of the
            machine; it is asked so often that no stop that matters falls between two.
    """

    def __init__(self, gateways: Sequence[Gateway], model: str, *, per_second: float = PER_SECOND) -> None:
        self.chats: list[Answered] = []
        self.readiness: list[Answered] = []
        self._gateways = gateways
        self._model = model
        self._period_s = CONNECTIONS * len(gateways) / per_second
        self._ending = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        places = itertools.product(range(CONNECTIONS), enumerate(self._gateways))
        begins_s, apart_s = time.monotonic(), self._period_s / CONNECTIONS / len(self._gateways)
        for turn, (_, (number, gateway)) in enumerate(places):
            chat = gateway.post("/v1/chat/completions", raw_http.chat(self._model))
            asking = self._ask(number, gateway, chat, self._period_s, begins_s + turn * apart_s, self.chats)
            self._running.append(asyncio.create_task(asking))
        for number, gateway in enumerate(self._gateways):
            ready = raw_http.get("/ready")
            asking = self._ask(number, gateway, ready, ASK_READY_EVERY_S, begins_s, self.readiness)
            self._running.append(asyncio.create_task(asking))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ending.set()
        await asyncio.gather(*self._running)

    async def recovers(self, back_s: float, *, within_s: float) -> None:
        """Returns when Redis has decided a request of every gateway that began after `back_s`."""

        def recovered() -> bool:
            shared = {one.gateway for one in self.chats if one.began_s >= back_s and not one.degraded}
            return len(shared) == len(self._gateways)

        await eventually(recovered, within_s=within_s, what="redis decides again in all gateways")

    async def _ask(
        self, number: int, gateway: Gateway, request: bytes, period_s: float, due_s: float, into: list[Answered]
    ) -> None:
        """Asks again and again on one connection, which is opened again where it was closed."""
        while not self._ending.is_set():
            async with raw_http.RawConnection(gateway.port) as connection:
                while await self._is_time(due_s):
                    due_s += period_s
                    answered = await _ask_once(number, connection, request)
                    into.append(answered)
                    if answered.status == 0:
                        break

    async def _is_time(self, due_s: float) -> bool:
        """Waits for that moment; False where the load ends before it."""
        try:
            async with asyncio.timeout(max(0.0, due_s - time.monotonic())):
                await self._ending.wait()
        except TimeoutError:
            return True
        return False


async def _ask_once(number: int, connection: raw_http.RawConnection, request: bytes) -> Answered:
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(REPLY_WITHIN_S):
            await connection.send(request)
            reply = await connection.reply()
    except (OSError, EOFError, TimeoutError):
        return Answered(number, began_s, time.monotonic() - began_s, 0)
    took_s = time.monotonic() - began_s
    said = reply.json() if reply.complete else {}
    redis = said.get("parts", {}).get("redis", "")
    status = reply.status if reply.complete else 0
    return Answered(number, began_s, took_s, status, reply.headers.get("x-moongate-degraded", ""), redis)

"""Clients with keys that ask a fleet all the time, while something is done to it, and what each of them heard."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway
from tests.e2e.money_tenants import Key
from tests.e2e.openai_wire import whole_text
from tests.e2e.support import eventually
from tests.e2e.test_streams import content_of

MODEL = "flow"
FLOW = Behaviour(delay_s=0.02, chunks=10, chunk_delay_s=0.05)
"""A stream takes half a second, so that there are always some in the middle."""
PAUSE_S = 0.08
WITHIN_S = 30.0


class End(StrEnum):
    """How a request ended for its client."""

    WHOLE = "whole"
    REFUSED = "refused"  # a status that says so
    TOLD = "told"  # an error event inside the stream
    CUT = "cut"  # the connection broke, and the framing says that something is missing
    UNHEARD = "unheard"  # no connection, or none that answered
    LEFT = "left"  # the client went
    SILENT = "silent"  # it looks complete, and is not


@dataclass(frozen=True, slots=True)
class Answer:
    """One request, by the clock of `time.monotonic`. `said`: status and code of an error."""

    gateway: Gateway
    began_s: float
    ended_s: float
    end: End
    request_id: str = ""
    said: str = ""
    degraded: bool = False


@dataclass
class Crowd:
    """`async with` runs it: each client asks for a whole reply and for a stream by turns, of the next gateway.

    Attributes:
        leaves_every: Each so-manieth stream is left in its middle; 0 for none.
    """

    fleet: Fleet
    keys: Sequence[Key]
    clients: int = 12
    leaves_every: int = 0
    pause_s: float = PAUSE_S
    answers: list[Answer] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _running: list[asyncio.Task[None]] = field(default_factory=list)
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)

    async def __aenter__(self) -> Self:
        self._running = [asyncio.create_task(self._client(number)) for number in range(self.clients)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ending.set()
        await asyncio.gather(*self._running)

    async def recovers(self, back_s: float, *, within_s: float) -> None:
        """Returns when every gateway has served a whole reply, as it should, that was asked for after that moment."""

        def recovered() -> bool:
            well = {one.gateway.port for one in self.answers if one.began_s >= back_s and is_well(one)}
            return well >= {gateway.port for gateway in self.fleet.gateways}

        await eventually(recovered, within_s=within_s, what="every gateway serves again")

    def recovery_s(self, back_s: float) -> float:
        """From that moment to the start of the last request that was not served as it should be."""
        unwell = [one.began_s for one in self.answers if not is_well(one) and one.end is not End.LEFT]
        return max([0.0, *(began_s - back_s for began_s in unwell)])

    def errors(self) -> Counter[str]:
        """What clients were told that is no whole reply."""
        unwell = [one for one in self.answers if one.end not in {End.WHOLE, End.LEFT}]
        return Counter(f"{one.end} {one.said}".strip() for one in unwell)

    async def _client(self, number: int) -> None:
        key = self.keys[number % len(self.keys)]
        while not self._ending.is_set():
            turn = next(self._turns)
            leaves = bool(self.leaves_every) and turn % self.leaves_every == 0
            stream = leaves or turn // len(self.fleet.gateways) % 2 == 0  # of every gateway both
            self.answers.append(await ask(self.fleet.next(), key, stream=stream, leaves=leaves))
            await asyncio.sleep(self.pause_s)


def is_well(answer: Answer) -> bool:
    """Whole, and decided with all stores."""
    return answer.end is End.WHOLE and not answer.degraded


async def ask(gateway: Gateway, key: Key, *, stream: bool = False, leaves: bool = False) -> Answer:
    """One request, on a connection of its own."""
    body = raw_http.chat(MODEL, stream=stream, max_tokens=FLOW.chunks)
    request = raw_http.post("/v1/chat/completions", body, {"authorization": f"Bearer {key.secret}"})
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_S), raw_http.RawConnection(gateway.port) as connection:
            await connection.send(request)
            if leaves:
                await connection.head()
                await connection.some()
                return Answer(gateway, began_s, time.monotonic(), End.LEFT)
            reply = await connection.reply()
    except (OSError, EOFError) as error:  # a time limit that ran out is an OSError, too
        return Answer(gateway, began_s, time.monotonic(), End.UNHEARD, said=type(error).__name__)
    end, said = _how(reply, stream=stream)
    request_id, degraded = reply.headers.get("x-request-id", ""), "x-moongate-degraded" in reply.headers
    return Answer(gateway, began_s, time.monotonic(), end, request_id, said, degraded)


def _how(reply: raw_http.RawReply, *, stream: bool) -> tuple[End, str]:
    if not reply.complete:
        return End.CUT, ""
    if reply.status != 200:
        return End.REFUSED, f"{reply.status} {reply.json()['error']['code']}"
    events = reply.events() if stream else []
    if events and "error" in events[-1] and "error" in json.loads(events[-1]):
        return End.TOLD, str(json.loads(events[-1])["error"].get("code"))
    if stream:
        whole = events[-1:] == ["[DONE]"] and content_of(events) == whole_text(MODEL, FLOW)
    else:
        whole = reply.json()["choices"][0]["message"]["content"] == whole_text(MODEL, FLOW)
    return (End.WHOLE if whole else End.SILENT), ""

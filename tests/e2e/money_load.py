"""Random requests of several keys: plain and streamed, with and without a maximum, some given up half-way."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e import raw_http
from tests.e2e.fleet import Fleet
from tests.e2e.money_tenants import Key, Standing, key_standing, standings

AT_ONCE = 32
LOOK_EVERY_S = 0.05
WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One request. `leaves_after_s`: the client goes then; `leaves_after_events`: after so many of a stream."""

    gateway: int
    key: Key
    model: str
    stream: bool
    max_tokens: int | None
    leaves_after_s: float | None
    leaves_after_events: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What its client heard. `status` 0: nothing. `is_whole`: a success to its end."""

    planned: Planned
    status: int
    request_id: str
    is_whole: bool
    cost_usd: str | None
    code: str | None
    began_s: float
    answered_s: float


def plans(seed: int, count: int, keys: Sequence[Key], models: Sequence[str], gateways: int) -> list[Planned]:
    """The same ones for the same seed."""
    draw = random.Random(seed)
    return [_plan(draw, keys, models, gateways) for _ in range(count)]


def _plan(draw: random.Random, keys: Sequence[Key], models: Sequence[str], gateways: int) -> Planned:
    stream, leaves = draw.random() < 0.5, draw.random()
    return Planned(
        gateway=draw.randrange(gateways),
        key=draw.choice(keys),
        model=draw.choice(models),
        stream=stream,
        max_tokens=draw.choice((None, 5, 8, 20)),
        leaves_after_s=draw.uniform(0.0, 0.08) if leaves < 0.15 else None,
        leaves_after_events=draw.randint(1, 4) if stream and 0.15 <= leaves < 0.3 else None,
    )


@dataclass
class MoneyLoad:
    """Plays plans against a fleet, and looks at the budgets meanwhile."""

    fleet: Fleet
    keys: Sequence[Key]
    heard: list[Heard] = field(default_factory=list)
    seen: list[Standing] = field(default_factory=list)

    async def play(self, planned: Sequence[Planned]) -> None:
        """All of them, in their order, so many at once."""
        waiting = iter(planned)

        async def client() -> None:
            for each in waiting:
                self.heard.append(await _ask(self.fleet, each))

        async with self._watched():
            await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        for number in range(10**9):
            self.seen.extend((await standings(self.fleet.next())).values())
            shown = await key_standing(self.fleet.next(), self.keys[number % len(self.keys)])
            self.seen.extend([shown] if shown else [])
            await asyncio.sleep(LOOK_EVERY_S)

    def overspent(self) -> list[Standing]:
        """Hard budgets that were ever seen to have settled more than they allow."""
        return [seen for seen in self.seen if seen.hard and seen.spent_nano > seen.amount_nano]


async def _ask(fleet: Fleet, planned: Planned) -> Heard:
    gateway = fleet.gateways[planned.gateway]
    more = {} if planned.max_tokens is None else {"max_tokens": planned.max_tokens}
    body = raw_http.chat(planned.model, stream=planned.stream, **more)
    request = raw_http.post("/v1/chat/completions", body, {"authorization": f"Bearer {planned.key.secret}"})
    began_s = time.monotonic()
    nothing = Heard(planned, 0, "", False, None, None, began_s, began_s)
    try:
        async with asyncio.timeout(WITHIN_S), raw_http.RawConnection(gateway.port) as connection:
            await connection.send(request)
            try:
                async with asyncio.timeout(planned.leaves_after_s):
                    return await _hear(connection, planned, began_s)
            except TimeoutError:
                return nothing
    except (OSError, EOFError):
        if gateway.process.poll() is None:
            raise
        return nothing


async def _hear(connection: raw_http.RawConnection, planned: Planned, began_s: float) -> Heard:
    if planned.leaves_after_events is not None:
        status, headers = await connection.head()
        text = b""
        while text.count(b"data:") < planned.leaves_after_events and not _is_over(status, text):
            text += await connection.some()
        return Heard(planned, status, headers["x-request-id"], False, None, None, began_s, time.monotonic())
    reply = await connection.reply()
    whole = reply.status == 200 and reply.complete and (not planned.stream or reply.events()[-1:] == ["[DONE]"])
    return Heard(
        planned,
        reply.status,
        reply.headers["x-request-id"],
        whole,
        reply.headers.get("x-moongate-cost"),
        None if reply.status < 400 else reply.json()["error"]["code"] or reply.json()["error"]["message"],
        began_s,
        time.monotonic(),
    )


def _is_over(status: int, text: bytes) -> bool:
    return status != 200 or text.endswith(b"0\r\n\r\n")

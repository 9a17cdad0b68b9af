"""Clients that ask without a pause, and what went wrong for them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway
from tests.e2e.openai_wire import whole_text
from tests.e2e.test_streams import content_of


class Load:
    """Requests for one model, whole or streamed, each on a connection of its own.

    Attributes:
        wrong: What was not as it should be.
    """

    def __init__(self, gateway: Gateway, model: str, lanes: Sequence[str], behaviour: Behaviour) -> None:
        self._gateway = gateway
        self._model = model
        self._texts = {whole_text(lane, behaviour) for lane in lanes}
        self._over = False
        self.answered = 0
        self.wrong: list[str] = []

    @asynccontextmanager
    async def running(self, clients: int) -> AsyncIterator[None]:
        """While the block runs, and until the last request has its answer."""
        asking = [asyncio.create_task(self._ask(stream=number % 2 == 0)) for number in range(clients)]
        try:
            yield
        finally:
            self._over = True
            await asyncio.gather(*asking)

    async def _ask(self, *, stream: bool) -> None:
        while not self._over:
            try:
                reply = await self._gateway.chat(self._model, stream=stream)
                fault = self._fault(reply, stream=stream)
            except (OSError, EOFError, TimeoutError) as error:
                fault = f"{type(error).__name__}: {error}"
            self.answered += 1
            if fault is not None:
                self.wrong.append(fault)

    def _fault(self, reply: raw_http.RawReply, *, stream: bool) -> str | None:
        if reply.status != 200:
            return f"{reply.status}: {reply.body[:300]!r}"
        if stream and reply.events()[-1] != "[DONE]":
            return "a stream without its end"
        text = content_of(reply.events()) if stream else reply.json()["choices"][0]["message"]["content"]
        return None if text in self._texts else f"another text: {text[:100]!r}"

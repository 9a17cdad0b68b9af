"""A loopback model server that answers as it is told, and remembers what it was asked.

In a test: `async with ScriptedUpstream() as upstream: upstream.lane("m").queue(failing(500))`.
On its own: `python -m tests.e2e.scripted_upstream --port 9000 --lanes '{"slow": {"chunk_delay_s": 0.01}}'`.
A lane is the name of a model as the upstream knows it; a lane that was never told anything answers well.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from tests.e2e.behaviour import OK, Behaviour
from tests.e2e.upstream_connection import UpstreamConnection

RECORDS_KEPT = 20_000


@dataclass(slots=True, eq=False)
class Recorded:
    """One request as it arrived, and how its reply ended.

    Attributes:
        ended_s: When the reply ended, by itself or because the client left; None while it is on its way.
        client_left: The client closed the connection before the reply was complete.
    """

    method: str
    path: str
    headers: dict[str, str]
    raw_body: bytes
    body: dict[str, object]
    lane: str
    began_s: float
    ended_s: float | None = None
    client_left: bool = False


@dataclass(slots=True)
class Lane:
    """The script of one upstream model: what is queued comes first, `default` ever after.

    Attributes:
        numbered: Each content chunk begins with the number of its request, so that no reply is like another.
    """

    name: str
    default: Behaviour = OK
    numbered: bool = False
    queued: deque[Behaviour] = field(default_factory=deque)
    requests: deque[Recorded] = field(default_factory=lambda: deque(maxlen=RECORDS_KEPT))

    def queue(self, *behaviours: Behaviour) -> None:
        """Use each of these for one request, in order."""
        self.queued.extend(behaviours)

    def next(self) -> Behaviour:
        """The behaviour for the request that just arrived."""
        behaviour = self.queued.popleft() if self.queued else self.default
        return replace(behaviour, mark=f"#{len(self.requests)}:") if self.numbered else behaviour


def peak_overlap(requests: Sequence[Recorded]) -> int:
    """The largest number of these requests that were under way at one moment."""
    moments = [(request.began_s, 1) for request in requests]
    moments += [(request.ended_s, -1) for request in requests if request.ended_s is not None]
    peak = current = 0
    for _, change in sorted(moments):
        current += change
        peak = max(peak, current)
    return peak


class ScriptedUpstream:
    """The server. Everything here runs on the event loop that entered it."""

    def __init__(self, port: int = 0, *, keeps_records: bool = True) -> None:
        self.lanes: dict[str, Lane] = {}
        self.connections: set[UpstreamConnection] = set()
        self.port = port
        self._keeps_records = keeps_records
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        """What a `custom` instance is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        """Connections now open, idle ones included."""
        return len(self.connections)

    @property
    def busy_connections(self) -> int:
        """Connections with a reply under way."""
        return sum(1 for connection in self.connections if connection.busy)

    def lane(self, name: str) -> Lane:
        """The lane of that name, made where it is new."""
        lane = self.lanes.get(name)
        if lane is None:
            lane = self.lanes[name] = Lane(name)
        return lane

    def record(
        self, method: str, path: str, headers: dict[str, str], raw_body: bytes, body: dict[str, object]
    ) -> Recorded:
        """Remember a request under its lane (GET requests: under the empty name)."""
        name = body.get("model")
        lane = name if isinstance(name, str) else ""
        recorded = Recorded(method, path, headers, raw_body, body, lane, time.monotonic())
        if self._keeps_records:
            self.lane(lane).requests.append(recorded)
        return recorded

    async def refuse(self) -> None:
        """Close the listener and every connection: from now on connecting is refused."""
        if self._server is not None:
            self._server.close()
            for connection in tuple(self.connections):
                connection.drop()
            await self._server.wait_closed()
            self._server = None

    async def listen(self) -> None:
        """Listen, on the same port as before where there was one."""
        loop = asyncio.get_running_loop()
        factory = lambda: UpstreamConnection(self)  # noqa: E731 - a factory is all it is
        self._server = await loop.create_server(factory, "127.0.0.1", self.port, backlog=1024, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.refuse()
        await asyncio.sleep(0)


if __name__ == "__main__":
    from tests.e2e.upstream_cli import main

    main()

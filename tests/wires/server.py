"""A scripted upstream on loopback that plays one wire: real TCP, and streams piece by piece.

A lane is the name of a model as the upstream knows it. What its provider would not have understood is answered 418 with
the reason and kept in `complaints`, so that a test fails with it.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.wires.wire import Heard, Refused, Said, Wire, WireReply, WireRequest

MAX_BODY_BYTES = 32 << 20
NOT_UNDERSTOOD = 418


@dataclass(slots=True)
class Lane:
    """One model of the upstream: what it is to answer, and what it was asked.

    Attributes:
        scene: A WireReply is sent as it is, whatever was asked.
        bytewise: Each byte of the reply is written by itself.
        heard: What the chat requests said.
        requests: All requests as they arrived.
        complaints: Why requests were not understood.
    """

    model: str
    scene: Said | Refused | WireReply = field(default_factory=Said)
    bytewise: bool = False
    heard: list[Heard] = field(default_factory=list)
    requests: list[WireRequest] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def last(self) -> Heard:
        """What the last request said; all of them must have been understood."""
        assert not self.complaints, self.complaints
        assert self.heard, f"{self.model} was asked nothing"
        return self.heard[-1]


class WireServer:
    """The upstream. Without a wire it understands nothing: a place that nobody may come to."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.wire = wire
        self.lanes: dict[str, Lane] = {}
        self.astray: list[WireRequest] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self.port}"

    def lane(self, model: str) -> Lane:
        """The lane of that name, made where it is new."""
        return self.lanes.setdefault(model, Lane(model))

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, arrived: web.Request) -> web.StreamResponse:
        path, _, query = arrived.raw_path.partition("?")
        headers = {name.lower(): value for name, value in arrived.headers.items()}
        request = WireRequest(arrived.method, path, query, headers, await arrived.read())
        lane = self._lane_of(request)
        if lane is None:
            self.astray.append(request)
            return await _write(arrived, _not_understood("nobody here has that model"), bytewise=False)
        lane.requests.append(request)
        return await _write(arrived, self._reply(lane, request), bytewise=lane.bytewise)

    def _lane_of(self, request: WireRequest) -> Lane | None:
        """By name, which stands in the path or in the body, whatever the format: no name is a part of another's."""
        text = request.path.encode() + b" " + request.body
        return next((lane for lane in self.lanes.values() if lane.model.encode() in text), None)

    def _reply(self, lane: Lane, request: WireRequest) -> WireReply:
        if isinstance(lane.scene, WireReply):
            return lane.scene
        assert self.wire is not None
        try:
            heard = self.wire.hear(request)
            assert heard.model == lane.model, f"asked for {heard.model}"
        except Exception as error:  # noqa: BLE001 - whatever a wire or an SDK's model raises
            lane.complaints.append(f"{request.method} {request.path}: {error!r}")
            return _not_understood(repr(error))
        lane.heard.append(heard)
        if isinstance(lane.scene, Refused):
            return self.wire.refusal(lane.scene)
        return self.wire.stream(lane.scene, heard.model) if heard.stream else self.wire.whole(lane.scene, heard.model)


def _not_understood(reason: str) -> WireReply:
    document = {"error": {"message": f"not understood: {reason}"}, "message": f"not understood: {reason}"}
    return WireReply(NOT_UNDERSTOOD, (json.dumps(document).encode(),))


async def _write(arrived: web.Request, reply: WireReply, *, bytewise: bool) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    response.enable_chunked_encoding()
    with contextlib.suppress(ConnectionError):  # who asked may leave
        await response.prepare(arrived)
        for piece in reply.pieces:
            for part in (bytes([byte]) for byte in piece) if bytewise else (piece,):
                await response.write(part)
                await asyncio.sleep(0)
        await response.write_eof()
    return response

"""One HTTP request, from the server's messages to Quart's handler and back.

Quart's own connection class starts two tasks a request, copies every header twice and wraps each answer in
`wait_for`. This one authenticates before it reads the body, reads the body in place and within limits, and then runs
the handler beside one watcher that cancels it the moment the client goes.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope
from quart import Response
from quart.wrappers.response import DataBody

from adapters.inbound.http.answered import Answered
from adapters.inbound.http.anthropic_errors import PATHS as ANTHROPIC_PATHS
from adapters.inbound.http.anthropic_errors import shaped_answer
from adapters.inbound.http.errors import InternalError, ShuttingDown
from adapters.inbound.http.exchange import Incoming, Outgoing
from adapters.inbound.http.receiving import (
    AnswerCut,
    ClientGone,
    Discard,
    read_body,
    refuse_bad_framing,
    refuse_large_headers,
)
from adapters.inbound.http.request_headers import client_request_id, combined, traceparent
from adapters.inbound.http.uploads import Upload, boundary_of, read_form, takes_form
from application.errors import GatewayError, NotAuthenticated
from application.silence_watch import SilenceWatch
from domain.durations import SECOND_US
from domain.exchanged_bodies import ExchangedBodies

if TYPE_CHECKING:
    from quart import Quart

    from adapters.inbound.http.app import GatewayApp

_log = logging.getLogger(__name__)


class GatewayConnection:
    """Quart's `asgi_http_class`: made for each request, called once."""

    def __init__(self, app: "Quart", scope: HTTPScope) -> None:
        self._app = cast("GatewayApp", app)
        self._door = self._app.front_door
        self._scope = scope
        self._headers = combined(scope["headers"])
        self._request_id = self._door.new_request_id()
        self._client_request_id = client_request_id(self._headers)
        self._told = Answered(self._request_id, scope["method"], scope["path"], self._client_request_id)
        self._told.traceparent = traceparent(self._headers)
        self._began_us = self._door.clock.monotonic_us()
        self._body_pending = True
        self._started = self._finishing = self._client_gone = False
        self._upload: Upload | None = None

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handles the request."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._door.in_flight.enter(task, self._scope["path"])
        try:
            request = await self._admit(receive)
            await self._unless_gone(task, self._answer(request, send), receive)
        except (ClientGone, AnswerCut):
            return
        except GatewayError as error:
            await self._refuse(error, receive, send)
        except asyncio.CancelledError:
            if self._started or self._body_pending or not self._door.in_flight.over:
                raise
            task.uncancel()
            await self._refuse(ShuttingDown(), receive, send)
        except Exception:
            if self._started:
                raise
            _log.exception("request %s failed before it was handled", self._request_id)
            await self._refuse(InternalError(), receive, send)
        finally:
            if self._upload is not None:
                self._upload.close()
            self._door.in_flight.leave(task)
            self._tell()

    def _tell(self) -> None:
        told = self._told
        told.duration_us = self._door.clock.monotonic_us() - self._began_us
        if told.bodies is not None and not self._keeps_bodies():
            # The switch went off while the answer was on its way.
            told.bodies = None
        for tell in self._door.on_answered:
            tell(told)

    async def _admit(self, receive: ASGIReceiveCallable) -> Incoming:
        refuse_bad_framing(self._headers)
        refuse_large_headers(self._scope)
        try:
            caller = await self._door.caller(self._scope, self._headers)
        except NotAuthenticated as error:
            # There is nothing to guard where nothing is: the honest answer helps whoever mistyped a path.
            raise self._app.misrouted(self._scope["path"], self._scope["method"]) or error from None
        self._told.caller = caller
        request = Incoming(self._scope, self._headers, self._request_id)
        request.caller, request.client_request_id = caller, self._client_request_id
        if self._takes_form():
            upload = self._upload = Upload(boundary_of(self._headers))
            request.upload = await read_form(upload, receive, self._headers, self._door.limits)
            self._told.received_bytes = upload.received_bytes
        else:
            request.payload = payload = await read_body(receive, self._headers, self._door.limits)
            self._told.received_bytes = len(payload)
            if self._keeps_bodies():
                self._told.bodies = ExchangedBodies(payload)
        self._body_pending = False
        return request

    def _takes_form(self) -> bool:
        path, method = self._scope["path"], self._scope["method"]
        # Where nothing is, or not for this method, that is the answer, and not what its body lacks.
        return takes_form(path) and method == "POST" and self._app.misrouted(path, method) is None

    def _keeps_bodies(self) -> bool:
        keeps = self._door.keeps_bodies
        return keeps is not None and keeps(self._told.caller, self._scope["path"])

    async def _unless_gone(
        self, task: "asyncio.Task[Any]", handling: Coroutine[Any, Any, None], receive: ASGIReceiveCallable
    ) -> None:
        watcher = asyncio.create_task(self._watch(task, receive))
        try:
            await handling
        except asyncio.CancelledError:
            # Ours alone is over with the request; anybody else's must go on up.
            if not self._client_gone or task.uncancel() > 0:
                raise
        finally:
            watcher.cancel()

    async def _watch(self, task: "asyncio.Task[Any]", receive: ASGIReceiveCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        # The server also says so after the last write, while the handler is still inside it.
        if not self._finishing:
            self._client_gone = True
            task.cancel()

    async def _answer(self, request: Incoming, send: ASGISendCallable) -> None:
        response = cast("Response", await self._app.handle_request(request))
        self._told.rule = None if request.url_rule is None else request.url_rule.rule
        if isinstance(response, Outgoing):
            self._told.error_code = response.error_code
        # Entered before the first write: a stream must be closed even where that write fails.
        async with response.response as body:
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
            await send(self._start(response.status_code, headers))
            if isinstance(body, DataBody):
                self._finishing = True
                await self._send(send, body.data, more=False)
                return
            await self._flow(body, send)
            self._finishing = True
            await self._send(send, b"", more=False)

    async def _flow(self, body: AsyncIterable[bytes], send: ASGISendCallable) -> None:
        watch = SilenceWatch(round(self._door.limits.stalled_reader_s * SECOND_US))
        try:
            async for data in body:
                watch.begin()
                await self._send(send, data, more=True)
                watch.end()
        except asyncio.CancelledError:
            if watch.cancelled_it():
                raise ClientGone from None
            raise
        finally:
            watch.stop()

    async def _refuse(self, error: GatewayError, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        answer = shaped_answer(error, self._scope["path"], self._request_id)
        self._told.error_code = answer.code
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        headers.append((b"content-length", b"%d" % len(answer.body)))
        if self._body_pending and self._scope["http_version"] < "2":
            headers.append((b"connection", b"close"))
        await send(self._start(answer.status, headers))
        if not self._body_pending:
            await self._send(send, answer.body, more=False)
            return
        discard = Discard(receive, self._door.limits)
        try:
            await self._send(send, answer.body, more=True)
            await discard.until_enough()
            await self._send(send, b"", more=False)
        finally:
            discard.stop()

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> ASGISendEvent:
        self._started = True
        self._told.status = status
        headers.append((b"x-request-id", self._request_id.encode()))
        if self._scope["path"].startswith(ANTHROPIC_PATHS):
            headers.append((b"request-id", self._request_id.encode()))
        if self._client_request_id is not None:
            headers.append((b"x-client-request-id", self._client_request_id.encode()))
        return {"type": "http.response.start", "status": status, "headers": headers}

    async def _send(self, send: ASGISendCallable, data: bytes, *, more: bool) -> None:
        told = self._told
        told.sent_bytes += len(data)
        if told.bodies is not None:
            told.bodies.answer(data)
        await send({"type": "http.response.body", "body": data, "more_body": more})
        told.is_whole = not more

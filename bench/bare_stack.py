"""The bare stack: Hypercorn + Quart + aiohttp transport, and nothing but forwarding: the gateway's measure."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from hypercorn.asyncio import serve
from quart import Quart, Response, request

from adapters.inbound.http.server_config import hypercorn_config
from adapters.outbound.system.clock import SystemClock

UNLIMITED = aiohttp.ClientTimeout(total=None)


async def _chunks(upstream: httpx.Response) -> AsyncIterator[bytes]:
    assert isinstance(upstream.stream, httpx.AsyncByteStream)
    try:
        async for chunk in upstream.stream:
            yield chunk
    finally:
        await upstream.stream.aclose()


def bare_app(upstream_url: str) -> Quart:
    """POST /v1/<path> goes to the upstream's <path>; the reply comes back as it is."""
    app = Quart(__name__)
    transport = AiohttpTransport()
    urls: dict[str, httpx.URL] = {}

    @app.before_serving
    async def connect() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        transport.client = aiohttp.ClientSession(connector=connector, timeout=UNLIMITED, auto_decompress=False)

    @app.after_serving
    async def disconnect() -> None:
        await transport.aclose()

    @app.post("/v1/<path:path>")
    async def forward(path: str) -> Response:
        body = await request.get_data(cache=False)
        url = urls.get(path)
        if url is None:
            url = urls[path] = httpx.URL(f"{upstream_url}/{path}")
        asked = httpx.Request("POST", url, headers={"content-type": "application/json"}, content=body)
        answer = await transport.handle_async_request(asked)
        content_type = answer.headers["content-type"]
        if content_type.startswith("text/event-stream"):
            response = Response(_chunks(answer), answer.status_code, content_type=content_type)
            response.timeout = None
            return response
        whole = b"".join([chunk async for chunk in _chunks(answer)])
        return Response(whole, answer.status_code, content_type=content_type)

    return app


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="bare_stack")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    arguments = parser.parse_args()
    loop_factory = None
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - absent on Windows

        loop_factory = uvloop.new_event_loop
    config = hypercorn_config(
        "127.0.0.1", arguments.port, graceful_timeout_s=5.0, clock=SystemClock()
    )  # the gateway's own settings
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve(bare_app(arguments.upstream), config))


if __name__ == "__main__":
    main()

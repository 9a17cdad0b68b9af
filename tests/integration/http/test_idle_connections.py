"""How long a connection stays that nobody asks anything on, and what ends it."""

import asyncio

import pytest

from adapters.inbound.http import server_config
from adapters.outbound.system.clock import SystemClock
from tests.integration.http.live_server import (
    RawConnection,
    eventually,
    http_request,
    live_server,
    one_answer,
    status_of,
)
from tests.integration.http.stubs import http_app

KEPT_S = 0.4
HEALTH = http_request("/health", method="GET")


def now_s() -> float:
    return asyncio.get_running_loop().time()


def server_tasks() -> set[str]:
    """What is under way for connections, beside the requests on them."""
    names = {str(getattr(task.get_coro(), "__name__", "")) for task in asyncio.all_tasks()}
    return names & {"_server_callback", "_idle_timeout"}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_config, "KEEP_ALIVE_S", KEPT_S)


async def test_a_pause_is_counted_from_the_last_answer() -> None:
    async with live_server(http_app()) as server:
        connection = await server.connect()
        for _ in range(5):
            await connection.send(HEALTH)
            assert status_of(await one_answer(connection)) == 200
            await asyncio.sleep(KEPT_S / 2)
        await connection.send(HEALTH)
        await one_answer(connection)
        since_s = now_s()

        assert await connection.rest() == b""
        assert now_s() - since_s >= KEPT_S * 0.9
        await connection.close()


async def test_a_connection_that_never_asks_is_closed() -> None:
    async with live_server(http_app()) as server:
        connection = await server.connect()
        since_s = now_s()

        assert await connection.rest() == b""
        assert now_s() - since_s >= KEPT_S * 0.9
        await connection.close()


async def test_a_client_that_sends_its_headers_byte_by_byte_gains_no_time() -> None:
    async with live_server(http_app()) as server:
        connection = await server.connect()
        since_s = now_s()
        dripping = asyncio.create_task(drip(connection))

        assert await connection.rest() == b""
        assert KEPT_S * 0.9 <= now_s() - since_s < 5 * KEPT_S
        dripping.cancel()
        await connection.close()


async def drip(connection: RawConnection) -> None:
    """Sends headers for ever; the server's end of the connection is no error of this one."""
    await connection.send(b"GET /health HTTP/1.1\r\nX-Slow: ")
    while not connection.writer.is_closing():
        connection.writer.write(b"x")
        await asyncio.sleep(KEPT_S / 20)


async def test_a_request_may_take_longer_than_any_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    app = http_app()
    handled = app.full_dispatch_request

    async def slowly(*arguments: object) -> object:
        await asyncio.sleep(3 * KEPT_S)
        return await handled(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(app, "full_dispatch_request", slowly)
    async with live_server(app) as server:
        connection = await server.connect()
        await connection.send(HEALTH)

        assert status_of(await one_answer(connection)) == 200
        since_s = now_s()
        assert await connection.rest() == b""
        assert now_s() - since_s >= KEPT_S * 0.9
        await connection.close()


async def test_connections_that_wait_are_closed_when_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_config, "KEEP_ALIVE_S", 60.0)
    async with live_server(http_app()) as server:
        connection = await server.connect()
        await connection.send(HEALTH)
        await one_answer(connection)
        server.stop.set()

        assert await connection.rest() == b""
        await connection.close()


async def test_nothing_stays_of_a_connection_whose_client_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_config, "KEEP_ALIVE_S", 60.0)
    async with live_server(http_app()) as server:
        connection = await server.connect()
        await connection.send(HEALTH)
        await one_answer(connection)
        assert server_tasks() == {"_server_callback", "_idle_timeout"}
        await connection.close()

        await eventually(lambda: not server_tasks())


class SetClock(SystemClock):
    now_s = 1_800_000_000.9

    def now_us(self) -> int:
        return int(self.now_s * 1e6)


def test_the_date_is_that_of_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock()
    monkeypatch.setattr("hypercorn.config.time", lambda: clock.now_s)
    config = server_config.hypercorn_config("::1", 8080, 120.0, clock)

    first = config.response_headers("h11")
    config.response_headers("h11").append((b"connection", b"close"))
    assert first == config.response_headers("h11") == [(b"date", b"Fri, 15 Jan 2027 08:00:00 GMT")]
    clock.now_s += 0.2
    assert config.response_headers("h11") == [(b"date", b"Fri, 15 Jan 2027 08:00:01 GMT")]

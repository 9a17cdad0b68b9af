"""Request smuggling, byte by byte at a real gateway: what a proxy in front would call one request is never two.

Each case is a request to the lane `first` with a plain request to the lane `second` right behind it, both with a key
that is let in. What the upstream was asked is the oracle: a request that can be read in two ways is neither carried
out nor is anything behind it.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.security import smuggling

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOWEST_S = 5.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    document = configuration([instance(lane, upstream.base_url) for lane in ("first", "second", "third")])
    async with running_gateway(document, tmp_path_factory.mktemp("smuggling")) as running:
        yield running


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _serves_after(gateway: Gateway, upstream: ScriptedUpstream) -> AsyncIterator[None]:
    for lane in ("first", "second"):
        upstream.lane(lane).requests.clear()
    yield
    assert (await gateway.chat("third")).status == 200


def key_line(gateway: Gateway) -> bytes:
    return f"Authorization: Bearer {gateway.key}\r\n".encode()


def second(gateway: Gateway) -> bytes:
    return gateway.post(smuggling.PATH.decode(), raw_http.chat("second"))


async def until_closed(gateway: Gateway, request: bytes) -> bytes:
    """All that comes back; fails where the gateway does not close the connection."""
    received = b""
    async with asyncio.timeout(SLOWEST_S), raw_http.RawConnection(gateway.port) as connection:
        await connection.send(request)
        try:
            while data := await connection.some():
                received += data
        except ConnectionError:
            return received
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def asked(upstream: ScriptedUpstream) -> list[bytes]:
    """The bodies that came through, of both lanes."""
    return [request.raw_body for lane in ("first", "second") for request in upstream.lane(lane).requests]


@pytest.mark.parametrize("name", smuggling.REFUSED)
async def test_what_can_be_read_in_two_ways_is_refused_with_all_that_follows(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    """CVE-2026-6338 (Kong), CVE-2025-43859 (h11)."""
    request = smuggling.two_readings(key_line(gateway))[name]

    received = await until_closed(gateway, request + second(gateway))

    assert statuses(received) in ([400], [431])
    assert b'"code":"' in received
    assert asked(upstream) == []


@pytest.mark.parametrize("name", ["first line: HTTP/1.0 with chunks", "first line: HTTP/1.2", "headers: a fold"])
async def test_it_is_refused_with_nothing_behind_it_too(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    received = await until_closed(gateway, smuggling.two_readings(key_line(gateway))[name])

    assert statuses(received) == [400]
    assert asked(upstream) == []


@pytest.mark.parametrize("name", smuggling.PLAIN)
async def test_what_can_be_read_in_one_way_is_one_request_with_its_whole_body(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    request = smuggling.LINE + key_line(gateway) + smuggling.PLAIN[name]

    async with asyncio.timeout(SLOWEST_S), raw_http.RawConnection(gateway.port) as connection:
        await connection.send(request + second(gateway))
        replies = [await connection.reply(), await connection.reply()]

    assert [reply.status for reply in replies] == [200, 200]
    assert asked(upstream) == [smuggling.BODY, raw_http.chat("second")]


@pytest.mark.parametrize("name", smuggling.REFUSED)
async def test_what_is_refused_on_a_new_connection_is_refused_on_a_used_one(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    request = smuggling.two_readings(key_line(gateway))[name]

    received = await until_closed(gateway, raw_http.get("/health") + request + second(gateway))

    assert statuses(received) in ([200, 400], [200, 431])
    assert asked(upstream) == []


async def test_http2_begins_with_the_connection_or_not_at_all(gateway: Gateway) -> None:
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"

    async with asyncio.timeout(SLOWEST_S), raw_http.RawConnection(gateway.port) as connection:
        await connection.send(smuggling.PREFACE + settings)
        assert (await connection.some())[3:4] == b"\x04"
    received = await until_closed(gateway, raw_http.get("/health") + smuggling.PREFACE + settings)

    assert statuses(received) == [200, 400]


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/v1/chat/completions", "/v1/chat/completions#", "//v1/chat/completions", "/v1/x/../models"],
)
async def test_target_that_is_no_path_of_ours_leads_nowhere(
    gateway: Gateway, upstream: ScriptedUpstream, target: str
) -> None:
    reply = await raw_http.exchange(gateway.port, gateway.post(target, smuggling.BODY))

    assert reply.status == 404
    assert "location" not in reply.headers
    assert asked(upstream) == []


async def test_request_behind_one_without_a_key_is_not_read(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    refused = raw_http.post("/v1/chat/completions", smuggling.BODY, {"authorization": "Bearer wrong"})

    received = await until_closed(gateway, refused + second(gateway))

    assert statuses(received) == [401]
    assert asked(upstream) == []


async def test_request_that_is_cut_short_is_not_carried_out(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    whole = gateway.post("/v1/chat/completions", smuggling.BODY)
    for end in (20, len(whole) - len(smuggling.BODY), len(whole) - 1):
        async with raw_http.RawConnection(gateway.port) as connection:
            await connection.send(whole[:end])

    assert (await gateway.chat("third")).status == 200
    assert asked(upstream) == []

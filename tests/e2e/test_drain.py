"""SIGTERM while work is under way: streams finish, newcomers are refused, the exit is clean."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import configuration, instance, running_gateway
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_streams import content_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = Behaviour(chunks=30, chunk_delay_s=0.05)


async def refuses(port: int) -> bool:
    try:
        async with raw_http.RawConnection(port):
            return False
    except ConnectionRefusedError:
        return True


async def test_stream_in_flight_finishes_after_sigterm_and_newcomers_are_refused(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.lane("slow").default = SLOW
    async with running_gateway(configuration([instance("slow", upstream.base_url)]), tmp_path) as gateway:
        in_flight = asyncio.create_task(gateway.chat("slow", stream=True))
        await eventually(lambda: upstream.lane("slow").requests, within_s=5, what="the stream has begun")

        gateway.terminate()

        await eventually(lambda: refuses(gateway.port), within_s=1, what="new connections are refused")
        assert not in_flight.done()
        reply = await in_flight
        assert reply.complete
        assert reply.events()[-1] == "[DONE]"
        assert content_of(reply.events()) == whole_text("slow", SLOW)
        assert await gateway.exited() == 0


async def test_sighup_ends_nothing(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.lane("hup").default = Behaviour(delay_s=0.3)
    async with running_gateway(configuration([instance("hup", upstream.base_url)]), tmp_path) as gateway:
        in_flight = asyncio.create_task(gateway.chat("hup"))
        await eventually(lambda: upstream.lane("hup").requests, within_s=5, what="the request has begun")

        gateway.process.send_signal(signal.SIGHUP)

        assert (await in_flight).status == 200
        assert (await gateway.chat("hup")).status == 200


async def test_request_in_flight_is_answered_after_sigterm(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.lane("plain").default = Behaviour(delay_s=0.7)
    async with running_gateway(configuration([instance("plain", upstream.base_url)]), tmp_path) as gateway:
        in_flight = asyncio.create_task(gateway.chat("plain"))
        await eventually(lambda: upstream.lane("plain").requests, within_s=5, what="the request has begun")

        gateway.terminate()

        assert (await in_flight).status == 200
        assert await gateway.exited() == 0


async def test_graceful_timeout_ends_a_stream_that_never_would(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.lane("endless").default = Behaviour(chunks=4000, chunk_delay_s=0.05)
    document = configuration([instance("endless", upstream.base_url)], server={"graceful_timeout": "1s"})
    async with running_gateway(document, tmp_path) as gateway:
        in_flight = asyncio.create_task(gateway.chat("endless", stream=True))
        await eventually(lambda: upstream.lane("endless").requests, within_s=5, what="the stream has begun")

        gateway.terminate()

        assert await gateway.exited() == 0
        assert "[DONE]" not in (await in_flight).events()


async def test_idle_gateway_exits_at_once(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with (
        running_gateway(configuration([instance("idle", upstream.base_url)]), tmp_path) as gateway,
        raw_http.RawConnection(gateway.port),  # an idle keep-alive connection holds nobody up
    ):
        gateway.terminate()

        await eventually(lambda: gateway.process.poll() is not None, within_s=3, what="it exits")

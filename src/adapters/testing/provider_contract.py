"""The contract of the Provider port. Inherit it, give it a `harness`, and every test must pass."""

import asyncio
import json
from dataclasses import dataclass

import pytest

from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, LlmRequest
from domain.failure import FailureKind, ProviderFailed
from domain.identifiers import RequestId

REPLY_MODEL = "the-name-the-client-used"
UPSTREAM_MODEL = "the-name-the-provider-knows"
PATIENCE_S = 5.0

_WITH_A_MODEL = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})
"""Endpoints whose replies name the model; `a_call` knows how they are asked."""


@dataclass(frozen=True, slots=True)
class ProviderHarness:
    """One adapter in four situations.

    Attributes:
        healthy: Answers everything, with at least two chunks of content.
        failing: The provider answers with an error.
        cut: The provider breaks streams off after content.
        hanging: The provider never answers.
        endpoints: What it serves, natively or by translation.
    """

    healthy: Provider
    failing: Provider
    cut: Provider
    hanging: Provider
    endpoints: frozenset[Endpoint] = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})


def a_call(endpoint: Endpoint = Endpoint.CHAT, *, stream: bool = False) -> Call:
    """A call as the application makes it."""
    fields: dict[str, object] = {"model": REPLY_MODEL}
    match endpoint:
        case Endpoint.CHAT:
            fields["messages"] = [{"role": "user", "content": "one two three"}]
        case Endpoint.COMPLETIONS:
            fields["prompt"] = "one two three"
        case Endpoint.EMBEDDINGS:
            fields["input"] = "one two three"
    if stream:
        fields["stream"] = True
    request = LlmRequest(endpoint, REPLY_MODEL, json.dumps(fields).encode(), fields, stream=stream, input_tokens=4)
    return Call(RequestId("01890000-0000-7000-8000-000000000000"), request, REPLY_MODEL, UPSTREAM_MODEL)


async def _exhaust(stream: ChunkStream) -> None:
    async for _ in stream:
        pass


async def _read_all(provider: Provider) -> None:
    await _exhaust(await provider.stream(a_call(stream=True)))


class ProviderContract:
    """Wants `harness`."""

    async def test_a_reply_is_json_with_the_clients_name_for_the_model(self, harness: ProviderHarness) -> None:
        for endpoint in harness.endpoints & _WITH_A_MODEL:
            reply = await harness.healthy.complete(a_call(endpoint))

            assert json.loads(reply.body)["model"] == REPLY_MODEL

    async def test_what_it_does_not_serve_is_unsupported(self, harness: ProviderHarness) -> None:
        for endpoint in _WITH_A_MODEL - harness.endpoints:
            with pytest.raises(ProviderFailed) as raised:
                await harness.healthy.complete(a_call(endpoint))

            assert raised.value.failure.kind is FailureKind.UNSUPPORTED

    async def test_usage_is_reported_in_tokens(self, harness: ProviderHarness) -> None:
        usage = (await harness.healthy.complete(a_call())).usage

        assert usage is not None
        assert usage.input_tokens > 0
        assert usage.output_tokens > 0
        assert 0 <= usage.cached_input_tokens <= usage.input_tokens

    async def test_a_stream_comes_in_batches_that_are_never_empty_and_then_ends(self, harness: ProviderHarness) -> None:
        stream = await harness.healthy.stream(a_call(stream=True))
        batches = [batch async for batch in stream]

        assert all(batches)
        assert sum(chunk.content for batch in batches for chunk in batch) >= 2
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    async def test_every_visible_chunk_is_json(self, harness: ProviderHarness) -> None:
        stream = await harness.healthy.stream(a_call(stream=True))

        parsed = [json.loads(chunk.data) async for batch in stream for chunk in batch if chunk.visible]

        assert all(isinstance(chunk, dict) for chunk in parsed)

    async def test_a_stream_reports_usage_once(self, harness: ProviderHarness) -> None:
        stream = await harness.healthy.stream(a_call(stream=True))

        usages = [chunk.usage async for batch in stream for chunk in batch if chunk.usage is not None]

        assert len(usages) == 1

    async def test_an_error_of_the_provider_is_a_failure(self, harness: ProviderHarness) -> None:
        with pytest.raises(ProviderFailed):
            await harness.failing.complete(a_call())
        with pytest.raises(ProviderFailed):
            await _exhaust(await harness.failing.stream(a_call(stream=True)))

    async def test_a_stream_that_is_cut_is_a_failure_and_never_an_end(self, harness: ProviderHarness) -> None:
        stream = await harness.cut.stream(a_call(stream=True))

        with pytest.raises(ProviderFailed):
            await _exhaust(stream)

    async def test_a_stream_may_be_closed_early_and_twice(self, harness: ProviderHarness) -> None:
        stream = await harness.healthy.stream(a_call(stream=True))
        await anext(stream)

        await stream.aclose()
        await stream.aclose()

    async def test_a_call_can_be_cancelled(self, harness: ProviderHarness) -> None:
        running = [
            asyncio.ensure_future(harness.hanging.complete(a_call())),
            asyncio.ensure_future(_read_all(harness.hanging)),
        ]
        await asyncio.sleep(0)
        for task in running:
            task.cancel()

        done, pending = await asyncio.wait(running, timeout=PATIENCE_S)

        assert not pending
        assert all(task.cancelled() for task in done)

    async def test_a_health_check_is_answered_with_a_success(self, harness: ProviderHarness) -> None:
        status = await harness.healthy.check()

        assert status is None or 200 <= status < 300

    async def test_a_health_check_of_a_provider_that_fails_is_a_failure(self, harness: ProviderHarness) -> None:
        with pytest.raises(ProviderFailed) as raised:
            await harness.failing.check()

        assert raised.value.failure.message != ""

    async def test_the_request_is_never_modified(self, harness: ProviderHarness) -> None:
        call = a_call(stream=True)
        before = json.dumps(call.request.fields), call.request.body

        await _exhaust(await harness.healthy.stream(call))

        assert (json.dumps(call.request.fields), call.request.body) == before

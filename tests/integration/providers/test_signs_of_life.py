import asyncio
from collections.abc import AsyncIterator

import httpx

from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.testing.provider_contract import a_call
from adapters.testing.virtual_time import run_virtual
from application.spans import Spans
from application.use_cases.stream import _open
from domain.durations import SECOND_US

WORD = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'


class Thinking(httpx.AsyncByteStream):
    """Sends a comment every four seconds, and a word at the end."""

    def __init__(self, comments: int) -> None:
        self._comments = comments

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._comments):
            await asyncio.sleep(4)
            yield b": still thinking\n\n"
        await asyncio.sleep(4)
        yield WORD


async def opened(comments: int) -> list[bytes]:
    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Thinking(comments))

    config = OpenAICompatibleConfig("custom", "http://provider.test/v1")
    provider = OpenAICompatibleProvider(config, httpx.MockTransport(answer))
    spans = Spans(attempt_us=60 * SECOND_US, first_byte_us=5 * SECOND_US, idle_us=5 * SECOND_US)
    stream = await _open(provider, a_call(stream=True), spans)
    await stream.stream.aclose()
    return [chunk.data for batch in stream.head for chunk in batch if chunk.visible]


def test_comments_are_bytes_so_a_thinking_provider_is_waited_for() -> None:
    assert run_virtual(opened(comments=10)) == [WORD[6:].strip()]


def test_a_provider_that_thinks_for_long_leaves_nothing_behind_in_memory() -> None:
    async def scenario() -> int:
        return len(await opened(comments=13))

    assert run_virtual(scenario()) == 1

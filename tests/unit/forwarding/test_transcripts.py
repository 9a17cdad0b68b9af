"""Transcripts as they come back: as text, whole or not at all."""

import httpx
import pytest

from adapters.inbound.http.forwarded_requests import parse_upload
from adapters.inbound.http.spool import Spool
from adapters.outbound.providers.forwarding import forwarder
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from application.ports.provider import Call
from domain.chat import Endpoint
from domain.failure import FailureKind, ProviderFailed
from domain.form import Form, FormField, FormFile
from domain.identifiers import RequestId
from tests.integration.providers.upstream import Pieces


def provider(*pieces: bytes) -> OpenAICompatibleProvider:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/plain"}, stream=Pieces(pieces))

    return OpenAICompatibleProvider(OpenAICompatibleConfig("openai", api_key="sk-own"), httpx.MockTransport(answer))


async def call(stream: bytes) -> Call:
    spool = Spool()
    await spool.write(b"sound")
    form = Form((FormField("model", b"m"), FormField("stream", stream), FormFile("file", "a.wav", "", spool)))
    return Call(RequestId("r"), parse_upload(Endpoint.TRANSCRIPTIONS, form), "m", "whisper-1")


async def test_text_instead_of_a_stream_is_passed_on() -> None:
    opened = await provider(b"hel", b"lo").stream(await call(b"true"))

    assert [chunk.data async for batch in opened for chunk in batch] == [b"hello"]


@pytest.mark.parametrize("stream", [b"true", b"false"])
async def test_text_that_is_too_large_is_a_broken_reply_and_no_empty_one(
    stream: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder, "MAX_REPLY_BYTES", 4)
    asked, asking = await call(stream), provider(b"hel", b"lo")

    with pytest.raises(ProviderFailed) as failed:
        await (asking.stream(asked) if asked.request.stream else asking.complete(asked))

    assert failed.value.failure.kind is FailureKind.BROKEN_REPLY

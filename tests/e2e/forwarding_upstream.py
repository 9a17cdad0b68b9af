"""A provider of pictures, sound, moderation and reranking, scripted: it answers as OpenAI, Cohere and vLLM document."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

SOUND = bytes(range(256)) * 2_000
PICTURE_USAGE = {"input_tokens": 10, "output_tokens": 1_056, "total_tokens": 1_066}
TRANSCRIPT_USAGE = {"type": "duration", "seconds": 61}


@dataclass(frozen=True)
class Part:
    """One part of a form that arrived."""

    name: str
    filename: str | None
    content_type: str | None
    value: bytes


@dataclass
class ForwardingUpstream:
    """What it was asked, and whether it fails. `cut`: of a sound, only half is sent before the connection breaks."""

    base_url: str = ""
    fails: bool = False
    cut: bool = False
    asked: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    forms: list[list[Part]] = field(default_factory=list)
    boundaries: list[str] = field(default_factory=list)

    async def json(self, request: web.Request) -> web.StreamResponse:
        """Every endpoint that takes JSON."""
        fields = await request.json()
        self.asked.append((request.path, fields))
        if self.fails:
            return web.json_response({"error": {"message": "out of order"}}, status=500)
        match request.path:
            case "/v1/moderations":
                return web.json_response({"id": "modr-1", "model": fields["model"], "results": [_verdict()]})
            case "/v1/images/generations" if not fields.get("stream"):
                pictures = [{"b64_json": "AAAA"}] * (fields.get("n") or 1)
                return web.json_response({"created": 1, "data": pictures, "usage": PICTURE_USAGE})
            case "/v1/rerank":
                found = [{"index": 1, "relevance_score": 0.9}]
                meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 2}}
                return web.json_response({"id": "r-1", "model": fields["model"], "results": found, "meta": meta})
            case "/v1/audio/speech" if fields.get("stream_format") != "sse":
                return await self._sound(request)
            case path:
                return await self._events(request, _speech_events() if "speech" in path else _picture_events())

    async def form(self, request: web.Request) -> web.StreamResponse:
        """Transcripts and translations."""
        self.boundaries.append(request.headers["content-type"].partition("boundary=")[2])
        parts = []
        async for part in await request.multipart():
            value = bytes(await part.read())  # type: ignore[union-attr]
            parts.append(Part(part.name or "", part.filename, part.headers.get("content-type"), value))  # type: ignore[union-attr]
        self.forms.append(parts)
        if self.fails:
            return web.json_response({"error": {"message": "out of order"}}, status=500)
        fields = {part.name: part.value.decode() for part in parts if part.filename is None}
        if fields.get("stream") == "true":
            return await self._events(request, _transcript_events())
        if fields.get("response_format") == "srt":
            return web.Response(text="1\n00:00:00,000 --> 00:00:01,000\nhello\n", content_type="text/plain")
        return web.json_response({"text": "hello", "usage": TRANSCRIPT_USAGE})

    async def _events(self, request: web.Request, events: list[dict[str, object]]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            said = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            await response.write(said[:9])
            await response.write(said[9:])
        return response

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "audio/mpeg", "content-length": str(len(SOUND))})
        await response.prepare(request)
        for start in range(0, len(SOUND) // 2 if self.cut else len(SOUND), 64_000):
            await response.write(SOUND[start : start + 64_000])
        if self.cut and request.transport is not None:
            request.transport.close()
        return response


def _verdict() -> dict[str, object]:
    return {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}


def _picture_events() -> list[dict[str, object]]:
    part = {"type": "image_generation.partial_image", "b64_json": "AAAA", "partial_image_index": 0}
    return [part, {"type": "image_generation.completed", "b64_json": "BBBB", "usage": PICTURE_USAGE}]


def _speech_events() -> list[dict[str, object]]:
    usage = {"input_tokens": 3, "output_tokens": 40, "total_tokens": 43}
    return [{"type": "speech.audio.delta", "audio": "AAAA"}, {"type": "speech.audio.done", "usage": usage}]


def _transcript_events() -> list[dict[str, object]]:
    usage = {"type": "tokens", "input_tokens": 100, "output_tokens": 5, "total_tokens": 105}
    done: dict[str, object] = {"type": "transcript.text.done", "text": "hello", "usage": usage}
    return [{"type": "transcript.text.delta", "delta": "hel"}, {"type": "transcript.text.delta", "delta": "lo"}, done]


@asynccontextmanager
async def forwarding_upstream() -> AsyncIterator[ForwardingUpstream]:
    """A running one."""
    upstream = ForwardingUpstream()
    app = web.Application(client_max_size=64 << 20)
    for path in ("moderations", "images/generations", "audio/speech", "rerank"):
        app.router.add_post(f"/v1/{path}", upstream.json)
    for path in ("audio/transcriptions", "audio/translations"):
        app.router.add_post(f"/v1/{path}", upstream.form)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        upstream.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield upstream
    finally:
        await runner.cleanup()

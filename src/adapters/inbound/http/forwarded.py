"""What is no text: moderation, pictures, sound, reranking. Paths as those of chats."""

from collections.abc import Awaitable, Callable
from typing import NoReturn

from quart import Blueprint

from adapters.inbound.http.asking import gateway_request
from adapters.inbound.http.exchange import Incoming, Outgoing, incoming
from adapters.inbound.http.forwarded_requests import parse_upload
from adapters.inbound.http.receiving import AnswerCut
from adapters.inbound.http.response_headers import served_headers
from adapters.inbound.http.schemas import parse_llm_request
from adapters.inbound.http.sse import OPENAI, EventStream, Framing
from adapters.inbound.http.use_cases import Complete, Stream
from application.errors import GatewayError, InvalidRequest
from application.gateway_request import GatewayRequest, Streaming
from domain.chat import Chunk, Endpoint, LlmRequest

FORWARDED = (
    ("moderations", Endpoint.MODERATIONS),
    ("images/generations", Endpoint.IMAGES),
    ("audio/transcriptions", Endpoint.TRANSCRIPTIONS),
    ("audio/translations", Endpoint.TRANSLATIONS),
    ("audio/speech", Endpoint.SPEECH),
    ("rerank", Endpoint.RERANK),
)

_EVENTS = "text/event-stream"
_UNBUFFERED = (("cache-control", "no-cache"), ("x-accel-buffering", "no"))

_View = Callable[..., Awaitable[Outgoing]]


def forwarded_blueprint(complete: Complete, stream: Stream) -> Blueprint:
    """The endpoints that are forwarded as they are."""
    blueprint = Blueprint("forwarded", __name__)
    for path, endpoint in FORWARDED:
        view = _view(endpoint, complete, stream)
        for rule in (f"/v1/{path}", f"/{path}", f"/openai/deployments/<path:deployment>/{path}"):
            blueprint.add_url_rule(rule, endpoint.value, view, methods=["POST"])
    return blueprint


def _view(endpoint: Endpoint, complete: Complete, stream: Stream) -> _View:
    async def view(deployment: str | None = None) -> Outgoing:
        request = incoming()
        asked = _asked(request, _parsed(request, endpoint, deployment))
        if asked.llm.stream:
            return _flowing(asked, await stream(asked))
        completed = await complete(asked)
        headers = (("content-type", completed.reply.content_type), *served_headers(completed))
        return Outgoing(200, headers, completed.reply.body)

    return view


def _flowing(asked: GatewayRequest, streaming: Streaming) -> Outgoing:
    content_type = streaming.content_type or _EVENTS
    framing = _RAW_EVENTS if content_type.startswith(_EVENTS) else _RAW_BYTES
    body = EventStream(streaming.chunks, asked.request_id, framing)
    return Outgoing(200, (("content-type", content_type), *_UNBUFFERED, *served_headers(streaming)), body)


def _parsed(request: Incoming, endpoint: Endpoint, deployment: str | None) -> LlmRequest:
    if request.upload is not None:
        return parse_upload(endpoint, request.upload, deployment)
    return parse_llm_request(endpoint, request.payload, deployment)


def _asked(request: Incoming, llm: LlmRequest) -> GatewayRequest:
    asked = gateway_request(request, llm)
    if asked.idempotency_key is not None and (llm.stream or llm.form is not None):
        # A day of sounds is no small thing to keep, and what came as a form is gone when its request is over.
        raise InvalidRequest(
            "Idempotency-Key: not for files, sound or streams of these; leave it out.", param="Idempotency-Key"
        )
    return asked


def _joined(batch: tuple[Chunk, ...]) -> bytes:
    return b"".join([chunk.data for chunk in batch if chunk.visible])


def _cut(error: GatewayError) -> NoReturn:
    raise AnswerCut from error


_RAW_EVENTS = Framing(_joined, b"", OPENAI.error)
# Nothing can be said in the middle of a sound: the connection ends before its answer does.
_RAW_BYTES = Framing(_joined, b"", _cut)

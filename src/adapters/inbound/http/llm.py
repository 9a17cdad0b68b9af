"""Chat, completions, embeddings, messages, responses: at their vendors' paths, with and without /v1, and at Azure's."""

from collections.abc import Awaitable, Callable

from quart import Blueprint

from adapters.inbound.http.anthropic_errors import anthropic_framing
from adapters.inbound.http.asking import gateway_request
from adapters.inbound.http.exchange import Outgoing, incoming
from adapters.inbound.http.response_headers import served_headers
from adapters.inbound.http.responses_framing import responses_framing
from adapters.inbound.http.schemas import parse_llm_request
from adapters.inbound.http.sse import OPENAI, EventStream, Framing
from adapters.inbound.http.use_cases import Complete, Stream
from domain.chat import Endpoint
from domain.identifiers import RequestId

PATHS = (
    ("chat/completions", Endpoint.CHAT),
    ("completions", Endpoint.COMPLETIONS),
    ("embeddings", Endpoint.EMBEDDINGS),
    ("messages", Endpoint.MESSAGES),
    ("messages/count_tokens", Endpoint.COUNT_TOKENS),
    ("responses", Endpoint.RESPONSES),
)

_JSON = ("content-type", "application/json")
_EVENTS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)

_View = Callable[..., Awaitable[Outgoing]]


def llm_blueprint(complete: Complete, stream: Stream) -> Blueprint:
    """The LLM-facing endpoints."""
    blueprint = Blueprint("llm", __name__)
    for path, endpoint in PATHS:
        view = _view(endpoint, complete, stream)
        for rule in (f"/v1/{path}", f"/{path}", f"/openai/deployments/<path:deployment>/{path}", *_more(endpoint)):
            blueprint.add_url_rule(rule, endpoint.value, view, methods=["POST"])
    return blueprint


def _more(endpoint: Endpoint) -> tuple[str, ...]:
    """Azure has responses beside its deployments: of two generations of its interface."""
    return ("/openai/responses", "/openai/v1/responses") if endpoint is Endpoint.RESPONSES else ()


def _view(endpoint: Endpoint, complete: Complete, stream: Stream) -> _View:
    async def view(deployment: str | None = None) -> Outgoing:
        request = incoming()
        asked = gateway_request(request, parse_llm_request(endpoint, request.payload, deployment))
        if asked.llm.stream:
            streaming = await stream(asked)
            events = EventStream(streaming.chunks, asked.request_id, _framing(endpoint, asked.request_id))
            return Outgoing(200, (*_EVENTS, *served_headers(streaming)), events)
        completed = await complete(asked)
        return Outgoing(200, (_JSON, *served_headers(completed)), completed.reply.body)

    return view


def _framing(endpoint: Endpoint, request_id: RequestId) -> Framing:
    match endpoint:
        case Endpoint.MESSAGES:
            return anthropic_framing(request_id)
        case Endpoint.RESPONSES:
            return responses_framing()
        case _:
            return OPENAI

"""Errors as Anthropic's clients read them: the same status, headers and words, in another shape."""

import json
from dataclasses import replace
from types import MappingProxyType

from adapters.inbound.http.errors import ErrorAnswer, error_answer
from adapters.inbound.http.sse import Framing, named_event, named_events
from application.errors import GatewayError
from domain.identifiers import RequestId

PATHS = ("/v1/messages", "/messages")
"""What begins so is Anthropic's, whether there is anything or not."""

_TYPES = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        408: "timeout_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
_SERVER_ERROR_FROM = 500


def request_id_headers(path: str, request_id: RequestId) -> tuple[tuple[bytes, bytes], ...]:
    """Under the name that each dialect's clients look for."""
    told = (b"x-request-id", request_id.encode())
    return (told, (b"request-id", told[1])) if path.startswith(PATHS) else (told,)


def shaped_answer(error: GatewayError, path: str, request_id: RequestId) -> ErrorAnswer:
    """The answer to `error` in the shape of the dialect that the path belongs to."""
    answer = error_answer(error)
    return replace(answer, body=_document(answer, request_id)) if path.startswith(PATHS) else answer


def anthropic_framing(request_id: RequestId) -> Framing:
    """Named events without an end of their own: `message_stop` is one of them."""
    return Framing(named_events, b"", lambda error: named_event(_document(error_answer(error), request_id)))


def _document(answer: ErrorAnswer, request_id: RequestId) -> bytes:
    """The gateway's own code stays within."""
    told = json.loads(answer.body)["error"]
    usual = "invalid_request_error" if answer.status < _SERVER_ERROR_FROM else "api_error"
    kind = _TYPES.get(answer.status, usual)
    error = {"type": kind, "message": told["message"], "code": told["code"], "param": told["param"]}
    document = {"type": "error", "error": error, "request_id": request_id}
    return json.dumps(document, separators=(",", ":")).encode()

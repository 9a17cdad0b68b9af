"""Anthropic's Messages API."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from anthropic.types.beta_error_response import BetaErrorResponse

from tests.wires import anthropic_reply, anthropic_request
from tests.wires.wire import Heard, Refused, Said, WireReply, WireRequest

KEY: Final = "sk-ant-upstream-0123456789abcdef"
_KINDS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class AnthropicWire:
    """Source: Anthropic, API reference, "Messages", "Streaming", "Errors", "Versions"."""

    name: ClassVar[str] = "anthropic"
    holes: ClassVar[Mapping[str, str]] = {}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The key and the address before its version."""
        return {"type": self.name, "model": model, "api_key": KEY, "base_url": base_url}

    def hear(self, request: WireRequest) -> Heard:
        """A request at the path of messages, with the key and the version of the API."""
        if request.method != "POST" or not request.path.endswith("/v1/messages") or request.query:
            raise ValueError(f"no request for messages: {request.method} {request.path}?{request.query}")
        wanted = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}
        for name, value in wanted.items():
            if request.headers.get(name) != value:
                raise ValueError(f"expected the header {name}: {value}, found {request.headers.get(name)!r}")
        if "authorization" in request.headers:
            raise ValueError("a key of Anthropic's stands in x-api-key alone")
        return anthropic_request.heard(request.body)

    def whole(self, said: Said, model: str) -> WireReply:
        """One message."""
        return WireReply(200, (_body(anthropic_reply.whole(said, model)),))

    def stream(self, said: Said, model: str) -> WireReply:
        """From `message_start` to `message_stop`, each event with its name."""
        events = (
            b"event: %b\ndata: %b\n\n" % (event["type"].encode(), _body(event))
            for event in anthropic_reply.events(said, model)
        )
        return WireReply(200, tuple(events), {"content-type": "text/event-stream; charset=utf-8"})

    def refusal(self, refused: Refused) -> WireReply:
        """`{"type": "error", …}`."""
        headers = {"content-type": "application/json"}
        if refused.retry_after_s is not None:
            headers["retry-after"] = str(refused.retry_after_s)
        return WireReply(refused.status, (_body(error(refused)),), headers)


def error(refused: Refused) -> dict[str, Any]:
    """The document of an error, which an event of a stream may be, too."""
    kind = _KINDS.get(refused.status, "api_error" if refused.status >= 500 else "invalid_request_error")
    detail = {"type": kind, "message": refused.message}
    document = {"type": "error", "error": detail, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    BetaErrorResponse.model_validate(document)
    return document


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()

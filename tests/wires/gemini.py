"""The Gemini API."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from tests.wires import gemini_reply, gemini_request
from tests.wires.wire import Heard, Refused, Said, WireReply, WireRequest

KEY: Final = "AIzaSyUpstream0123456789abcdefghijklmno"
_PATH: Final = re.compile(r".*/v1beta/models/([^/:]+):(generateContent|streamGenerateContent)")
SSE: Final = {"content-type": "text/event-stream"}


class GeminiWire:
    """Source: Gemini API reference, "models.generateContent", "models.streamGenerateContent"; google-genai's types."""

    name: ClassVar[str] = "gemini"
    holes: ClassVar[Mapping[str, str]] = {}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The key and the address before its version."""
        return {"type": self.name, "model": model, "api_key": KEY, "base_url": base_url}

    def hear(self, request: WireRequest) -> Heard:
        """A request at the path of the model, with the key in its header."""
        model, stream = operation(request, _PATH)
        if request.headers.get("x-goog-api-key") != KEY or "authorization" in request.headers:
            raise ValueError("expected the key in x-goog-api-key alone")
        return gemini_request.heard(request.body, model, stream=stream, vertex=False)

    def whole(self, said: Said, model: str) -> WireReply:
        """One reply."""
        return WireReply(200, (gemini_reply.as_json(gemini_reply.whole(said, model, ids=True)),))

    def stream(self, said: Said, model: str) -> WireReply:
        """Events without names, which just end."""
        return WireReply(200, tuple(map(event, gemini_reply.events(said, model, ids=True))), SSE)

    def refusal(self, refused: Refused) -> WireReply:
        """`{"error": …}`; when to come again stands in its details."""
        return WireReply(refused.status, (gemini_reply.as_json(gemini_reply.error(refused)),))


def operation(request: WireRequest, path: re.Pattern[str]) -> tuple[str, bool]:
    """The model, and whether a stream is asked for."""
    found = path.fullmatch(request.path)
    if request.method != "POST" or found is None:
        raise ValueError(f"no request for an answer: {request.method} {request.path}")
    stream = found[2] == "streamGenerateContent"
    if request.query != ("alt=sse" if stream else ""):
        raise ValueError(f"unexpected query {request.query!r}")
    if request.headers.get("content-type") != "application/json":
        raise ValueError("expected JSON")
    return found[1], stream


def event(document: gemini_reply.Document) -> bytes:
    """As it stands in a stream: with carriage returns."""
    return b"data: " + gemini_reply.as_json(document) + b"\r\n\r\n"

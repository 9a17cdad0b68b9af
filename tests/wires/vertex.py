"""Vertex AI."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from tests.wires import gemini_reply, gemini_request
from tests.wires.gemini import SSE, event, operation
from tests.wires.google_tokens import credentials_file, token_endpoint
from tests.wires.wire import Heard, Refused, Said, WireReply, WireRequest

PROJECT: Final = "moongate-test"
LOCATION: Final = "europe-west1"
_PATH: Final = re.compile(
    rf".*/v1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/([^/:]+)"
    r":(generateContent|streamGenerateContent)"
)


class VertexWire:
    """The Gemini API's format elsewhere, behind tokens. Its function calls have no ids.

    Source: Vertex AI's reference, "GenerateContent"; google-genai's types.
    """

    name: ClassVar[str] = "vertex"
    holes: ClassVar[Mapping[str, str]] = {}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """A service account's file, whose token endpoint is one of this process."""
        return {
            "type": self.name,
            "model": model,
            "base_url": base_url,
            "project": PROJECT,
            "location": LOCATION,
            "credentials_file": credentials_file(),
        }

    def hear(self, request: WireRequest) -> Heard:
        """A request at the path of the model, with a token that was issued."""
        model, stream = operation(request, _PATH)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in token_endpoint().issued or "x-goog-api-key" in request.headers:
            raise ValueError("expected an access token alone")
        return gemini_request.heard(request.body, model, stream=stream, vertex=True)

    def whole(self, said: Said, model: str) -> WireReply:
        """One reply."""
        return WireReply(200, (gemini_reply.as_json(gemini_reply.whole(said, model, ids=False)),))

    def stream(self, said: Said, model: str) -> WireReply:
        """Events without names, which just end."""
        return WireReply(200, tuple(map(event, gemini_reply.events(said, model, ids=False))), SSE)

    def refusal(self, refused: Refused) -> WireReply:
        """`{"error": …}`; when to come again stands in its details."""
        return WireReply(refused.status, (gemini_reply.as_json(gemini_reply.error(refused)),))

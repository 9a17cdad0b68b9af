"""OpenAI's chat completions, and what its kin have in common with them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from tests.wires import openai_reply, openai_request
from tests.wires.wire import Heard, Refused, Said, WireReply, WireRequest

KEY: Final = "sk-upstream-0123456789abcdef"
_CODES: Final = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class OpenAIWire:
    """Source: OpenAI, API reference, "Chat" (requests, completions, chunks) and "Error codes".

    Its kin say in class attributes and the methods after `settings` where they differ.
    """

    name: ClassVar[str] = "openai"
    prefix: ClassVar[str] = "/v1"
    key: ClassVar[str] = KEY
    reasoning_field: ClassVar[str] = "reasoning_content"
    beyond: ClassVar[frozenset[str]] = frozenset()
    holes: ClassVar[Mapping[str, str]] = {}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The key and the address that the prefix is part of."""
        return {"type": self.name, "model": model, "api_key": self.key, "base_url": base_url + self.prefix}

    def hear(self, request: WireRequest) -> Heard:
        """A chat request at its path, with its key."""
        path = f"{self.prefix}/chat/completions"
        if request.method != "POST" or not request.path.endswith(path) or request.query:
            raise ValueError(f"no chat request: {request.method} {request.path}?{request.query}")
        self.check_headers(request.headers)
        return openai_request.heard(request.body, beyond=self.beyond)

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Raises where the credential is not there, or the body is no JSON."""
        if headers.get("authorization") != f"Bearer {self.key}":
            raise ValueError("the key does not stand in the authorization header")
        if headers.get("content-type") != "application/json":
            raise ValueError("a chat request is application/json")

    def whole(self, said: Said, model: str) -> WireReply:
        """One `chat.completion`."""
        document = openai_reply.whole(said, model, reasoning_field=self.reasoning_field)
        return WireReply(200, (openai_reply.body(self.finished(document, said)),))

    def stream(self, said: Said, model: str) -> WireReply:
        """`chat.completion.chunk`s, the last with the usage, and `[DONE]`."""
        documents = openai_reply.chunks(said, model, reasoning_field=self.reasoning_field)
        documents[-2] = self.finished(documents[-2], said)
        events = openai_reply.events(self.arranged(documents))
        return WireReply(200, events, {"content-type": "text/event-stream"})

    def refusal(self, refused: Refused) -> WireReply:
        """`{"error": {…}}`."""
        headers = {"content-type": "application/json"}
        if refused.retry_after_s is not None:
            headers["retry-after"] = str(refused.retry_after_s)
        return WireReply(refused.status, (openai_reply.body(self.error(refused)),), headers)

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """The document of a refusal."""
        kind = "server_error" if refused.status >= 500 else "invalid_request_error"
        code = _CODES.get(refused.status)
        return {"error": {"message": refused.message, "type": kind, "param": None, "code": code}}

    def finished(self, document: dict[str, Any], _said: Said) -> dict[str, Any]:
        """The whole reply, or the chunk with the finish reason, with what this provider adds to it."""
        return document

    def arranged(self, documents: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """The chunks as this provider orders them: the last has the usage alone."""
        return documents

"""Ollama's OpenAI-compatible chat completions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Refused


class OllamaWire(OpenAIWire):
    """Source: Ollama, "OpenAI compatibility": no key, `reasoning`."""

    name: ClassVar[str] = "ollama"
    reasoning_field: ClassVar[str] = "reasoning"

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The address alone."""
        return {"type": self.name, "model": model, "base_url": base_url + self.prefix}

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Nobody's key is sent here."""
        if "authorization" in headers:
            raise ValueError("a key was sent to a server that has none")

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """Everything that is no 404 or server error is an `invalid_request_error`."""
        kind = "api_error" if refused.status >= 500 else "invalid_request_error"
        return {"error": {"message": refused.message, "type": kind, "param": None, "code": None}}

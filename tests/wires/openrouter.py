"""OpenRouter's chat completions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Refused, Said


class OpenRouterWire(OpenAIWire):
    """Source: OpenRouter, "API reference", "Errors" (a number as the code) and "Reasoning tokens" (`reasoning`)."""

    name: ClassVar[str] = "openrouter"
    prefix: ClassVar[str] = "/api/v1"
    key: ClassVar[str] = "sk-or-v1-0123456789abcdef"
    reasoning_field: ClassVar[str] = "reasoning"

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """With the upstream's own words beside its own."""
        metadata = {"raw": refused.message, "provider_name": "Somewhere"}
        return {"error": {"message": refused.message, "code": refused.status, "metadata": metadata}}

    def finished(self, document: dict[str, Any], said: Said) -> dict[str, Any]:
        """With the upstream's own finish reason, and which upstream it was."""
        native = {"native_finish_reason": said.finish}
        return document | {"provider": "Somewhere", "choices": [each | native for each in document["choices"]]}

"""Hugging Face: the router and dedicated endpoints, which speak OpenAI's dialect."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Refused

_TYPES = {404: "not_found", 422: "validation", 424: "generation", 429: "overloaded"}


class HuggingFaceWire(OpenAIWire):
    """Source: Hugging Face, "Inference Providers" (chat) and Text Generation Inference's OpenAPI (`ErrorResponse`)."""

    name: ClassVar[str] = "huggingface"
    key: ClassVar[str] = "hf_upstream0123456789abcdef"

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """The router's errors and Text Generation Inference's are plain words, the latter with their type."""
        if refused.status in _TYPES:
            return {"error": refused.message, "error_type": _TYPES[refused.status]}
        return {"error": refused.message}

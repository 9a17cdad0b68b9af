"""Groq's chat completions."""

from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Said


class GroqWire(OpenAIWire):
    """Source: Groq API reference, "Chat" (`x_groq`), and "Reasoning" (`reasoning`)."""

    name: ClassVar[str] = "groq"
    prefix: ClassVar[str] = "/openai/v1"
    key: ClassVar[str] = "gsk_upstream0123456789abcdef"
    reasoning_field: ClassVar[str] = "reasoning"

    def finished(self, document: dict[str, Any], _said: Said) -> dict[str, Any]:
        """With the request's id."""
        return document | {"x_groq": {"id": "req_01jbd6g2qdfw2adyrt2az8hz4w"}}

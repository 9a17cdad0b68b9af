"""Any server that speaks OpenAI's dialect."""

from typing import ClassVar

from tests.wires.openai import OpenAIWire


class CustomWire(OpenAIWire):
    """OpenAI's documents at an address of one's own."""

    name: ClassVar[str] = "custom"

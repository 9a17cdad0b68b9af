"""vLLM's OpenAI-compatible chat completions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Refused, Said


class VllmWire(OpenAIWire):
    """Source: vLLM, "OpenAI-compatible server": `reasoning_content`, `stop_reason`, a number as the error's code."""

    name: ClassVar[str] = "vllm"

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """The status is the code."""
        return {"error": {"message": refused.message, "type": "BadRequestError", "param": None, "code": refused.status}}

    def finished(self, document: dict[str, Any], said: Said) -> dict[str, Any]:
        """With the sequence that ended the text."""
        stopped = {"stop_reason": said.stop_sequence or None}
        return document | {"choices": [each | stopped for each in document["choices"]]}

"""Mistral's chat completions."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.wires.openai import OpenAIWire
from tests.wires.wire import Heard, Refused, WireRequest

_UNKNOWN = ("stream_options", "seed", "max_completion_tokens", "logit_bias", "logprobs", "top_logprobs")


class MistralWire(OpenAIWire):
    """Source: Mistral API reference, "Chat": `random_seed`, no `stream_options`, usage in the last chunk."""

    name: ClassVar[str] = "mistral"
    beyond: ClassVar[frozenset[str]] = frozenset({"random_seed", "safe_prompt", "prompt_mode"})

    def hear(self, request: WireRequest) -> Heard:
        """It refuses fields that it does not know."""
        for name in _UNKNOWN:
            if b'"%b"' % name.encode() in request.body:
                raise ValueError(f"extra_forbidden: {name}")
        return super().hear(request)

    def error(self, refused: Refused) -> Mapping[str, Any]:
        """Without a wrapper."""
        return {
            "object": "error",
            "message": refused.message,
            "type": "rate_limited" if refused.status == 429 else "invalid_request_error",
            "param": None,
            "code": "1300",
        }

    def arranged(self, documents: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """The last chunk with a choice has the usage, too."""
        *before, last, usage = documents
        return [*before, last | {"usage": usage["usage"]}]

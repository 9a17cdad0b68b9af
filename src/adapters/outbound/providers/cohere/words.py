"""What Cohere and OpenAI call the same."""

from typing import Final

from adapters.outbound.providers.capabilities import Capabilities, Part
from domain.chat import Endpoint

NAME: Final = "cohere"

SAME: Final = ("temperature", "seed", "frequency_penalty", "presence_penalty", "strict_tools")
"""Fields that are passed on as they are."""

RENAMED: Final = {"top_p": "p", "top_k": "k"}

OWN: Final = ("documents", "citation_options", "safety_mode", "priority")
"""Fields that only Cohere has, for those who know whom they ask."""

CAPABILITIES: Final = Capabilities(
    name=NAME,
    native=frozenset({Endpoint.RERANK}),
    translated=frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS}),
    chat_fields=frozenset(
        {
            "messages",
            "tools",
            "tool_choice",
            "response_format",
            "stop",
            "logprobs",
            "reasoning_effort",
            "thinking",
            *SAME,
            *RENAMED,
            *OWN,
        }
    ),
    parts=frozenset({Part.IMAGE_DATA, Part.IMAGE_URL}),
)

FINISH_REASONS: Final = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
"""`ERROR` and `TIMEOUT` are failures."""

EFFORTS: Final[dict[str, int | None]] = {"minimal": 512, "low": 1_024, "medium": 4_096, "high": None, "xhigh": None}
"""Tokens of thinking for each effort; None where it may think as long as it likes."""

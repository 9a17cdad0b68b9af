"""What of a message a provider's chat can carry beyond OpenAI's documented fields."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChatFlavour:
    """One kind of chat.

    Attributes:
        maximum: The field that limits the output.
        top_k: It is honoured.
        marks: `cache_control` on parts, messages and tools is understood, or at least does no harm.
        thoughts: Earlier turns may carry `thinking_blocks` and a tool call's `extra_content`.
        reasoning: Earlier turns may carry `reasoning_content`: thoughts that nobody has signed.
        rich_results: A tool's result may hold pictures and files; a file may be a web address.
    """

    maximum: str = "max_tokens"
    top_k: bool = False
    marks: bool = False
    thoughts: bool = False
    reasoning: bool = False
    rich_results: bool = False


TRANSLATED: Final = ChatFlavour(top_k=True, marks=True, thoughts=True, rich_results=True)
"""Chat as this gateway's own translations read it."""

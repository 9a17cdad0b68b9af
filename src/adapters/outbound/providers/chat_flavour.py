"""What a provider's chat can carry beyond OpenAI's documented fields: for clients of other dialects."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChatFlavour:
    """One kind of chat.

    Attributes:
        maximum: The field that limits the output.
        top_k: It is honoured.
        marks: `cache_control` on parts, messages and tools is understood, or at least does no harm.
        reasoning: Earlier turns may carry `reasoning_content`: thoughts that nobody has signed.
        thoughts: And `thinking_blocks`, and a tool call's `extra_content`.
        rich_results: A tool's result may hold pictures and files; a file may be a web address.
        hints: `prompt_cache_key` and `safety_identifier` are understood, or at least do no harm. Where they are not
            they are left out: they change nothing of the answer.
    """

    maximum: str = "max_tokens"
    top_k: bool = False
    marks: bool = False
    reasoning: bool = False
    thoughts: bool = False
    rich_results: bool = False
    hints: bool = False


TRANSLATED: Final = ChatFlavour(top_k=True, marks=True, reasoning=True, thoughts=True, rich_results=True)
"""Chat as this gateway's own translations read it."""

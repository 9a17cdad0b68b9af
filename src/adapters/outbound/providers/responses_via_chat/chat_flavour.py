from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChatFlavour:
    """What one kind of chat takes beyond what all take.

    Attributes:
        reasoning: Earlier turns may carry `reasoning_content`.
        thoughts: And `thinking_blocks`, and a tool call's `extra_content`.
        rich_results: A tool's result may hold pictures and files.
        hints: `prompt_cache_key` and `safety_identifier` are understood, or at least do no harm. Where they are not
            they are left out: they change nothing of the answer.
    """

    reasoning: bool = False
    thoughts: bool = False
    rich_results: bool = False
    hints: bool = False


TRANSLATED: Final = ChatFlavour(reasoning=True, thoughts=True, rich_results=True)
"""Chat as this gateway's own translations read it."""

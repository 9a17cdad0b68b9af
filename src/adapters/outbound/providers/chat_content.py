"""What a message of a chat holds, in whichever of the forms that servers write it in."""

from collections.abc import Mapping
from typing import Any, Final

_REASONING: Final = ("reasoning_content", "reasoning")


def thought_in(message: Mapping[str, Any]) -> str:
    """What the model thought, in a message or a delta: beside the content, or (Mistral) in parts of it."""
    for name in _REASONING:
        if isinstance(thought := message.get(name), str) and thought:
            return thought
    content = message.get("content")
    if not isinstance(content, list):
        return ""
    thoughts = (part.get("thinking") for part in content if isinstance(part, dict) and part.get("type") == "thinking")
    return "".join(map(_text_of, thoughts))


def text_in(message: Mapping[str, Any]) -> str:
    """What it said: a text, or its parts of text."""
    return _text_of(message.get("content"))


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))

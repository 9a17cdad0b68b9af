"""Token counts from a provider, which may say anything."""

from collections.abc import Mapping
from typing import Final

from domain.chat import Usage

# Beyond this, other languages' JSON would already have rounded the number.
_MAX_TOKENS: Final = 2**53


def parse_usage(value: object) -> Usage | None:
    """The usage that OpenAI's `usage` object tells; None where it is missing or can't be believed.

    A cached share that can't be believed counts as not cached: the full price.
    """
    if not isinstance(value, Mapping):
        return None
    prompt = _tokens(value.get("prompt_tokens"))
    if prompt is None:
        return None
    completion = value.get("completion_tokens")
    if completion is None:  # embeddings have none
        completion = max(0, (_tokens(value.get("total_tokens")) or 0) - prompt)
    output = _tokens(completion)
    if output is None:
        return None
    return Usage(input_tokens=prompt, output_tokens=output, cached_input_tokens=_cached(value, prompt))


def usage_of(document: Mapping[str, object]) -> Usage | None:
    """The usage of a reply or a chunk: `usage`, or Groq's `x_groq.usage`."""
    usage = parse_usage(document.get("usage"))
    if usage is None and isinstance(groq := document.get("x_groq"), Mapping):
        usage = parse_usage(groq.get("usage"))
    return usage


def _cached(usage: Mapping[object, object], prompt: int) -> int:
    details = usage.get("prompt_tokens_details")
    cached = _tokens(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return cached if cached is not None and cached <= prompt else 0


def _tokens(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_TOKENS else None

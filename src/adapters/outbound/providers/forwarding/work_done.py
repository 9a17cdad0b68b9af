"""What a reply to something else than text says of its tokens and units."""

import math
from collections.abc import Mapping
from typing import Final

from domain.chat import Endpoint, LlmRequest, Usage

_MOST: Final = 2**53
_HEARD: Final = frozenset({Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS})


def work_done(document: Mapping[str, object], request: LlmRequest) -> Usage:
    """The usage that `document` tells. What it leaves out is as was to be expected of the request.

    `usage` is that of OpenAI's pictures and transcripts (`input_tokens`), or of its chats (`prompt_tokens`: Mistral,
    vLLM); Cohere has `meta`, and OpenRouter its `search_units` in `usage`.
    """
    told = _object(document.get("usage"))
    units = _units(document, told, request)
    input_ = _count(told.get("input_tokens", told.get("prompt_tokens")))
    if input_ is None:
        input_ = _count(_object(_object(document.get("meta")).get("tokens")).get("input_tokens"))
    if input_ is None and request.endpoint is Endpoint.RERANK:
        # Nothing is written there: Jina, Voyage and OpenRouter tell the sum alone.
        input_ = _count(told.get("total_tokens"))
    if input_ is None:
        # Nothing was counted in tokens where the provider counts in something else.
        estimated = units is None
        output = request.work.output_tokens if estimated else 0
        units = request.work.units if units is None else units
        return Usage(request.input_tokens, output, estimated=True, units=units)
    output = _count(told.get("output_tokens", told.get("completion_tokens"))) or 0
    return Usage(input_, output, _cached(told, input_), units=request.work.units if units is None else units)


def _units(document: Mapping[str, object], told: Mapping[str, object], request: LlmRequest) -> int | None:
    """None where the reply does not tell them."""
    match request.endpoint:
        case Endpoint.IMAGES:
            made = document.get("data")
            return len(made) if isinstance(made, list) else None
        case Endpoint.RERANK:
            billed = _object(_object(document.get("meta")).get("billed_units"))
            return _count(billed.get("search_units", told.get("search_units")))
        case endpoint if endpoint in _HEARD:
            for value in (told.get("seconds"), told.get("prompt_audio_seconds"), document.get("duration")):
                if (seconds := _seconds(value)) is not None:
                    return seconds
            return None
        case _:
            return None


def _cached(told: Mapping[str, object], input_tokens: int) -> int:
    for name in ("input_tokens_details", "input_token_details", "prompt_tokens_details"):
        cached = _count(_object(told.get(name)).get("cached_tokens"))
        if cached is not None and cached <= input_tokens:
            return cached
    return 0


def _seconds(value: object) -> int | None:
    """Rounded up. Some servers write numbers as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return math.ceil(value)


def _count(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

"""What the echo answers: documents in OpenAI's shape, made of nothing but the request."""

import base64
import math
import re
import struct
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from application.ports.provider import Call
from domain.chat import Endpoint, Usage

DEFAULT_DIMENSIONS: Final = 32
MAX_DIMENSIONS: Final = 4096

_CHARACTERS_PER_TOKEN: Final = 4
_WORD: Final = re.compile(r"\s*\S+\s*|\s+")
_WORD_BYTES: Final = 4


def spoken_texts(fields: Mapping[str, object], endpoint: Endpoint) -> list[str]:
    """What comes back in each choice: the last user message, or a prompt, `n` times; empty where there is none."""
    each = fields.get("n")
    times = each if isinstance(each, int) and each > 1 else 1
    if endpoint is Endpoint.COMPLETIONS:
        prompt = fields.get("prompt")
        prompts = prompt if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else [prompt]
        return [_text(one) for one in prompts for _ in range(times)]
    users = [message for message in _messages(fields) if message.get("role") == "user"]
    return [_text(users[-1].get("content")) if users else ""] * times


def characters_allowed(call: Call) -> int | None:
    """How much of it may come back; None for all."""
    maximum = call.max_output_tokens if call.request.max_output_tokens is None else call.request.max_output_tokens
    return None if maximum is None else maximum * _CHARACTERS_PER_TOKEN


def words(text: str) -> list[str]:
    """`text` in pieces that a stream would carry; joined, they are `text`."""
    return _WORD.findall(text)


def forced_function(fields: Mapping[str, object]) -> str | None:
    """The function that `tool_choice` forces a call of; None where it forces none."""
    match fields.get("tool_choice"), fields.get("tools"):
        case {"type": "function", "function": {"name": str(name)}}, _:
            return name
        case "required", [{"function": {"name": str(name)}}, *_]:
            return name
        case _:
            return None


def usage(fields: Mapping[str, object], endpoint: Endpoint, answer: str) -> Usage:
    """Four characters a token, over everything that was said."""
    match endpoint:
        case Endpoint.CHAT:
            said = "".join(_text(message.get("content")) for message in _messages(fields))
        case Endpoint.COMPLETIONS:
            said = _text(fields.get("prompt"))
        case Endpoint.EMBEDDINGS:
            said = "".join(embedding_inputs(fields))
    return Usage(input_tokens=_tokens(said), output_tokens=_tokens(answer))


def usage_document(counted: Usage) -> dict[str, object]:
    """`usage` as OpenAI writes it."""
    return {
        "prompt_tokens": counted.input_tokens,
        "completion_tokens": counted.output_tokens,
        "total_tokens": counted.input_tokens + counted.output_tokens,
    }


def embedding_inputs(fields: Mapping[str, object]) -> list[str]:
    """The texts to embed; token lists are embedded as they are written."""
    given = fields.get("input")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        return []
    if all(isinstance(token, int) for token in given):
        return [str(given)]
    return [item if isinstance(item, str) else str(item) for item in given]


def embedding(text: str, dimensions: int, *, as_base64: bool) -> list[float] | str:
    """A unit vector that depends on `text` alone: components from SHA-256 in counter mode."""
    raw = bytearray()
    block = 0
    while len(raw) < dimensions * _WORD_BYTES:
        raw += sha256(block.to_bytes(4, "big") + text.encode("utf-8", "surrogatepass")).digest()
        block += 1
    integers = struct.unpack(f">{dimensions}i", raw[: dimensions * _WORD_BYTES])
    length = math.sqrt(sum(float(component) ** 2 for component in integers)) or 1.0
    vector = [component / length for component in integers]
    return base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode("ascii") if as_base64 else vector


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def _messages(fields: Mapping[str, object]) -> list[dict[str, object]]:
    messages = fields.get("messages")
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def _text(value: object) -> str:
    """A string, the texts of content parts, or of a list of strings."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in value)
    return "".join(part for part in parts if isinstance(part, str))

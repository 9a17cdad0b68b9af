"""Embeddings, as the Gemini API and Vertex AI write them."""

import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import broken_reply, unsupported
from adapters.outbound.providers.gemini.model import refused
from domain.chat import Usage
from domain.failure import ProviderFailed

_HONOURED: Final = frozenset({"model", "input", "dimensions", "encoding_format", "user", "task_type"})

Body = dict[str, Any]


def texts_in(asked: Asked, provider: str) -> list[str]:
    """The texts that are to be embedded.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what can't be honoured: fields, and tokens in place of text.
    """
    if not asked.drop_params:
        for name in asked.fields:
            if name not in _HONOURED:
                raise unsupported(name, provider)
    if asked.fields.get("encoding_format", "float") not in ("float", "base64"):
        raise unsupported("encoding_format", provider)
    match asked.fields.get("input"):
        case str(text):
            return [text]
        case [str(), *_] as texts if all(isinstance(text, str) for text in texts):
            return list(texts)
        case [int() | list(), *_]:
            raise unsupported("input", provider)
        case _:
            raise refused("expected 'input' to be a text or a list of texts", "input")


def batch_fields(asked: Asked, resource: str, provider: str) -> Body:
    """The body for `batchEmbedContents` of the Gemini API. `resource` is the model's, `models/…`."""
    options = _options(asked, "taskType")
    return {
        "requests": [
            {"model": resource, "content": {"parts": [{"text": text}]}} | options for text in texts_in(asked, provider)
        ]
    }


def vertex_batch_fields(asked: Asked, provider: str) -> Body:
    """The same of Vertex AI, whose Gemini models are asked so."""
    options = _options(asked, "taskType")
    config = {"embedContentConfig": options} if options else {}
    return {
        "requests": [
            {"content": {"role": "user", "parts": [{"text": text}]}} | config for text in texts_in(asked, provider)
        ]
    }


def predict_fields(asked: Asked, provider: str) -> Body:
    """The body for `predict` of Vertex AI."""
    options = _options(asked, "task_type")
    dimensions = options.pop("outputDimensionality", None)
    body: Body = {"instances": [{"content": text} | options for text in texts_in(asked, provider)]}
    return body if dimensions is None else body | {"parameters": {"outputDimensionality": dimensions}}


def embedded(document: Mapping[str, Any], asked: Asked, model: str) -> tuple[Body, Usage | None]:
    """A reply of any of them as OpenAI writes it.

    Raises:
        ProviderFailed: It is none.
    """
    told = document.get("embeddings")
    if told is None and isinstance(predictions := document.get("predictions"), list):
        told = [each.get("embeddings") if isinstance(each, Mapping) else None for each in predictions]
    if not isinstance(told, list) or not told:
        raise ProviderFailed(broken_reply("the provider's reply has no list of embeddings"))
    base64 = asked.fields.get("encoding_format") == "base64"
    vectors = [_vector(_unwrapped(each)) for each in told]
    data = [
        {"object": "embedding", "index": index, "embedding": _in_base64(vector) if base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    reply: Body = {"object": "list", "data": data, "model": model}
    tokens = _tokens(document, told)
    if tokens is None:
        return reply, None
    return reply | {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}, Usage(tokens, 0)


def _options(asked: Asked, task_type: str) -> Body:
    fields = asked.fields
    options: Body = {}
    if "dimensions" in fields:
        options["outputDimensionality"] = fields["dimensions"]
    if "task_type" in fields:
        options[task_type] = fields["task_type"]
    return options


def _unwrapped(told: object) -> object:
    return told["embedding"] if isinstance(told, Mapping) and "embedding" in told else told


def _vector(told: object) -> list[float]:
    values = told.get("values") if isinstance(told, Mapping) else None
    if not isinstance(values, list) or not all(type(value) in {int, float} for value in values):
        raise ProviderFailed(broken_reply("the provider's reply has an embedding without numbers"))
    return values


def _in_base64(vector: Sequence[float]) -> str:
    try:
        return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
    except (OverflowError, struct.error) as error:
        raise ProviderFailed(broken_reply("the provider's reply holds a number out of range")) from error


def _tokens(document: Mapping[str, Any], told: Sequence[object]) -> int | None:
    match document.get("usageMetadata"):
        case {"promptTokenCount": int(tokens)} if tokens >= 0:
            return tokens
        case _:
            pass
    counts = [_counted(each) for each in told]
    return sum(count for count in counts if count is not None) if None not in counts else None


def _counted(told: object) -> int | None:
    match told:
        case {"statistics": {"token_count": int() | float() as count}} if 0 <= count < 2**53:
            return int(count)
        case {"statistics": {"tokenCount": int() | float() as count}} if 0 <= count < 2**53:
            return int(count)
        case _:
            return None

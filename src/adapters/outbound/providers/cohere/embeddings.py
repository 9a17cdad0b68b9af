"""Embeddings, asked of Cohere's `/v2/embed`.

Source: Cohere's API reference, "Embed" (v2).
"""

from typing import Any, Final

from adapters.outbound.providers.capabilities import HARMLESS
from adapters.outbound.providers.cohere.usage import usage_of
from adapters.outbound.providers.cohere.words import NAME
from adapters.outbound.providers.dialect import Asked, Fields
from adapters.outbound.providers.failures import broken_reply, unsupported
from domain.chat import Usage
from domain.failure import ProviderFailed

_TRANSLATED: Final = {"input", "dimensions", "encoding_format"}
_OWN: Final = ("input_type", "truncate", "priority")


def embed_fields(asked: Asked) -> dict[str, object]:
    """The body of a request for embeddings. A text that is too long is refused, as OpenAI does, and not cut.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what Cohere can't honour.
    """
    fields = asked.fields
    unknown = set(fields) - _TRANSLATED - HARMLESS - set(_OWN)
    if unknown and not asked.drop_params:
        raise unsupported(min(unknown), NAME)
    body: dict[str, object] = {
        "model": asked.model,
        "texts": _texts(fields.get("input")),
        "input_type": "search_document",
        "embedding_types": [_encoding(fields)],
        "truncate": "NONE",
    }
    if "dimensions" in fields:
        body["output_dimension"] = fields["dimensions"]
    return body | {name: fields[name] for name in _OWN if name in fields}


def embedded(document: Fields, asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
    """The reply as OpenAI writes it.

    Raises:
        ProviderFailed: BROKEN_REPLY where it is none.
    """
    by_type = document.get("embeddings")
    vectors = by_type.get(_encoding(asked.fields)) if isinstance(by_type, dict) else None
    if not isinstance(vectors, list):
        raise ProviderFailed(broken_reply("the provider's reply has no list of embeddings"))
    usage = usage_of(document.get("meta"))
    reply: dict[str, Any] = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)],
        "model": model,
    }
    if usage is not None:
        reply["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}
    return reply, usage


def _encoding(fields: Fields) -> str:
    """Both are OpenAI's, and its bytes: four for each number, the smallest first."""
    encoding = fields.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise unsupported("encoding_format", NAME)
    return str(encoding)


def _texts(given: object) -> list[str]:
    """Tokens are another provider's, and mean nothing here."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise unsupported("input", NAME)
    return texts

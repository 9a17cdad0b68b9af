"""Embeddings by InvokeModel: Amazon's Titan, which takes one text, and Cohere's, which take up to 96.

Sources: Bedrock's user guide, "Amazon Titan Text Embeddings", "Cohere Embed v3", "Cohere Embed v4".
"""

import base64
import struct
from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.bedrock.models import NAME
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import broken_reply, unsupported
from domain.chat import Usage
from domain.failure import Failure, FailureKind, ProviderFailed

_FIELDS: Final = frozenset({"model", "input", "encoding_format", "dimensions", "user", "input_type"})
_FORMATS: Final = ("float", "base64")
_TITAN: Final = "amazon.titan-embed-text"
_TITAN_2: Final = "amazon.titan-embed-text-v2"
_COHERE: Final = "cohere.embed"
_COHERE_4: Final = "cohere.embed-v4"
_MAX_TOKENS: Final = 2**53


def invoke_fields(asked: Asked) -> dict[str, Any]:
    """The body for the model.

    Raises:
        ProviderFailed: UNSUPPORTED, naming the field that it can't honour.
    """
    model, texts = asked.model, _texts(asked.fields.get("input"))
    unknown = [name for name in asked.fields if name not in _FIELDS]
    if asked.fields.get("encoding_format", "float") not in _FORMATS:
        unknown.append("encoding_format")
    if unknown and not asked.drop_params:
        raise unsupported(unknown[0], NAME)
    if _COHERE in model:
        return {
            "texts": texts,
            "input_type": asked.fields.get("input_type", "search_document"),
            "embedding_types": ["float"],
            **_dimensions(asked, "output_dimension", honoured=_COHERE_4 in model),
        }
    if _TITAN not in model:
        raise _refused(
            "model", f"knows no embeddings of the model {model!r}: Titan's text models and Cohere's are known"
        )
    if "input_type" in asked.fields and not asked.drop_params:
        raise unsupported("input_type", NAME)
    if len(texts) != 1:
        raise _refused("input", "takes one text at a time for Titan's embeddings")
    return {"inputText": texts[0], **_dimensions(asked, "dimensions", honoured=_TITAN_2 in model)}


def embedded(document: Mapping[str, Any], asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
    """The reply as OpenAI writes it. Cohere tells no tokens in it.

    Raises:
        ProviderFailed: It holds no embeddings.
    """
    match document:
        case {"embedding": [*vector]}:
            vectors = [vector]
        case {"embeddings": {"float": [*vectors]}} | {"embeddings": [*vectors]}:
            pass
        case _:
            raise ProviderFailed(broken_reply("the provider's reply holds no embeddings"))
    written = [_written(vector, asked.fields.get("encoding_format")) for vector in vectors]
    data = [{"object": "embedding", "index": index, "embedding": value} for index, value in enumerate(written)]
    reply: dict[str, object] = {"object": "list", "data": data, "model": model}
    count = document.get("inputTextTokenCount")
    if type(count) is not int or not 0 <= count <= _MAX_TOKENS:
        return reply, None
    return reply | {"usage": {"prompt_tokens": count, "total_tokens": count}}, Usage(count, 0)


def _texts(given: object) -> list[str]:
    match given:
        case str():
            return [given]
        case [str(), *_] as texts if all(isinstance(text, str) for text in texts):
            return [str(text) for text in texts]
        case _:
            raise _refused("input", "embeds texts alone: token numbers mean nothing to its models")


def _dimensions(asked: Asked, name: str, *, honoured: bool) -> dict[str, object]:
    if "dimensions" not in asked.fields:
        return {}
    if honoured:
        return {name: asked.fields["dimensions"]}
    if asked.drop_params:
        return {}
    raise unsupported("dimensions", NAME)


def _written(vector: object, form: object) -> object:
    if form != "base64":
        return vector
    try:
        numbers = list(vector)  # type: ignore[call-overload]
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")
    except (TypeError, struct.error, OverflowError) as error:
        raise ProviderFailed(
            broken_reply("the provider's reply holds an embedding that is no list of numbers")
        ) from error


def _refused(field: str, why: str) -> ProviderFailed:
    return ProviderFailed(Failure(FailureKind.UNSUPPORTED, f"{NAME} {why}", param=field))

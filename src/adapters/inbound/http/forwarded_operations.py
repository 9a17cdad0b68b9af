"""The forwarded endpoints in the OpenAPI document: what the gateway reads of them, with the bounds of the parser."""

from types import MappingProxyType
from typing import Any

from adapters.inbound.http.forwarded_requests import MAX_PICTURES, MAX_TOP
from domain.chat import Endpoint

Json = dict[str, Any]

_MODEL: Json = {"type": "string", "minLength": 1, "description": "A model, alias or route."}
_TEXT: Json = {"type": "string", "minLength": 1}
_FILE: Json = {"type": "string", "format": "binary", "description": "Spooled to disk within the limit of a body."}
_FORM: Json = {
    "title": "AudioForm",
    "description": "Parts beyond these go to the provider as they are.",
    "type": "object",
    "required": ["model", "file"],
    "properties": {"model": _MODEL, "file": _FILE, "stream": {"type": "string", "enum": ["true", "false"]}},
    "additionalProperties": True,
}


def _request(title: str, required: list[str], properties: Json) -> Json:
    return {
        "title": title,
        "description": "Fields beyond these go to the provider as they are.",
        "type": "object",
        "required": ["model", *required],
        "properties": {"model": _MODEL, **properties},
        "additionalProperties": True,
    }


FORWARDED_SCHEMAS: Json = {
    "ModerationRequest": _request(
        "ModerationRequest", ["input"], {"input": {"type": ["string", "array"], "minLength": 1, "minItems": 1}}
    ),
    "ImageRequest": _request(
        "ImageRequest",
        ["prompt"],
        {
            "prompt": _TEXT,
            "n": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_PICTURES},
            "stream": {"type": ["boolean", "null"]},
        },
    ),
    "SpeechRequest": _request("SpeechRequest", ["input"], {"input": _TEXT}),
    "RerankRequest": _request(
        "RerankRequest",
        ["query", "documents"],
        {
            "query": _TEXT,
            "documents": {"type": "array", "minItems": 1, "items": {"type": ["string", "object"]}},
            "top_n": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_TOP},
        },
    ),
    "AudioForm": _FORM,
}

FORWARDED_REQUESTS = MappingProxyType(
    {
        Endpoint.MODERATIONS: "ModerationRequest",
        Endpoint.IMAGES: "ImageRequest",
        Endpoint.SPEECH: "SpeechRequest",
        Endpoint.RERANK: "RerankRequest",
        Endpoint.TRANSCRIPTIONS: "AudioForm",
        Endpoint.TRANSLATIONS: "AudioForm",
    }
)

FORWARDED_SUMMARIES = MappingProxyType(
    {
        Endpoint.MODERATIONS: ("/v1/moderations", "Moderation"),
        Endpoint.IMAGES: ("/v1/images/generations", "Pictures"),
        Endpoint.TRANSCRIPTIONS: ("/v1/audio/transcriptions", "Transcript"),
        Endpoint.TRANSLATIONS: ("/v1/audio/translations", "Translated transcript"),
        Endpoint.SPEECH: ("/v1/audio/speech", "Speech"),
        Endpoint.RERANK: ("/v1/rerank", "Reranking"),
    }
)

_HEARD = frozenset({Endpoint.TRANSCRIPTIONS, Endpoint.TRANSLATIONS})
_SAID: Json = {"schema": {"type": "string"}}


def request_media(endpoint: Endpoint) -> str:
    """How its requests come."""
    return "multipart/form-data" if endpoint in _HEARD else "application/json"


def other_answers(endpoint: Endpoint) -> Json:
    """Its answers that are no JSON."""
    if endpoint is Endpoint.SPEECH:
        return {"audio/*": {"schema": {"type": "string", "format": "binary"}}, "text/event-stream": _SAID}
    if endpoint in _HEARD:
        return {"text/plain": _SAID, "text/event-stream": _SAID}
    return {"text/event-stream": _SAID} if endpoint is Endpoint.IMAGES else {}

"""The LLM endpoints in the OpenAPI document.

What the gateway reads of a request is declared by hand beside what parses it by hand (`schemas`), with the same
bounds; a test asks the one about the other. All other fields belong to the provider.
"""

from typing import Any

from adapters.inbound.http.forwarded_operations import (
    FORWARDED_REQUESTS,
    FORWARDED_SCHEMAS,
    FORWARDED_SUMMARIES,
    other_answers,
    request_media,
)
from adapters.inbound.http.messages_requests import MESSAGES
from adapters.inbound.http.openapi_errors import error_responses
from adapters.inbound.http.schemas import MAX_CHOICES, MAX_TOKENS
from domain.caching import CacheControl
from domain.chat import Endpoint

Json = dict[str, Any]

_MODEL: Json = {"type": "string", "minLength": 1, "description": "A model, alias or route."}
_OBJECTS: Json = {"type": ["array", "null"], "items": {"type": "object"}}
_OBJECT: Json = {"type": ["object", "null"]}
_STRINGS: Json = {"type": ["string", "array", "null"], "items": {"type": "string"}}
_PROMPT: Json = {
    "type": ["string", "array"],
    "minItems": 1,
    "items": {"type": ["string", "integer", "array"]},
    "description": "A text, texts, or token numbers.",
}
_TURNS: Json = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}},
}
_CHOICES: Json = {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_CHOICES}
_NUMBER: Json = {"type": ["number", "null"]}
_STREAM_OPTIONS: Json = {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}}


def _tokens(lowest: int) -> Json:
    return {"type": ["integer", "null"], "minimum": lowest, "maximum": MAX_TOKENS}


def _sampling(least_tokens: int) -> Json:
    return {
        "stream": {"type": ["boolean", "null"]},
        "stream_options": _STREAM_OPTIONS,
        "max_tokens": _tokens(least_tokens),
        "max_completion_tokens": _tokens(1),
        "n": _CHOICES,
        "best_of": _CHOICES,
        "temperature": _NUMBER,
        "top_p": _NUMBER,
        "frequency_penalty": _NUMBER,
        "presence_penalty": _NUMBER,
        "stop": _STRINGS,
        "tools": _OBJECTS,
    }


def _request(title: str, required: str, properties: Json) -> Json:
    return {
        "title": title,
        "description": "Fields beyond these go to the provider as they are.",
        "type": "object",
        "required": ["model", required],
        "properties": {"model": _MODEL, **properties},
        "additionalProperties": True,
    }


_ANTHROPIC: Json = {
    "messages": _TURNS,
    "system": {"type": ["string", "array", "null"], "items": {"type": "object"}},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": MAX_TOKENS},
    "stop_sequences": {"type": ["array", "null"], "items": {"type": "string"}},
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": _NUMBER,
    "tools": _OBJECTS,
    "tool_choice": _OBJECT,
    "thinking": _OBJECT,
    "output_config": _OBJECT,
    "metadata": _OBJECT,
}
_RESPONSES: Json = {
    "input": {
        "type": ["string", "array", "null"],
        "minItems": 1,
        "items": {"type": "object"},
        "description": "A text or items; none only where the provider keeps what is to be said.",
    },
    "instructions": {"type": ["string", "null"]},
    "stream": {"type": ["boolean", "null"]},
    "background": {
        "type": ["boolean", "null"],
        "enum": [False, None],
        "description": "Nobody could fetch a response later.",
    },
    "max_output_tokens": _tokens(1),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "tools": _OBJECTS,
}
_OPENAI: Json = {
    "type": "object",
    "description": "As OpenAI's or Anthropic's, from the provider.",
    "additionalProperties": True,
}
_CARD: Json = {
    "type": "object",
    "required": ["id", "object", "created", "owned_by", "capabilities"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string"},
        "capabilities": {
            "type": "array",
            "items": {"type": "string", "enum": [endpoint.value for endpoint in Endpoint]},
            "description": "Endpoints that some instance behind it serves.",
        },
        "supported_parameters": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Fields of a chat request that all providers behind it honour; absent where it can't chat.",
        },
        "context_window": {"type": "integer", "description": "Tokens; absent where unknown."},
        "max_output_tokens": {"type": "integer", "description": "Absent where unknown."},
    },
}

LLM_SCHEMAS: Json = {
    "ChatCompletionRequest": _request("ChatCompletionRequest", "messages", {"messages": _TURNS, **_sampling(1)}),
    "CompletionRequest": _request("CompletionRequest", "prompt", {"prompt": _PROMPT, **_sampling(0)}),
    "EmbeddingRequest": _request("EmbeddingRequest", "input", {"input": _PROMPT}),
    **FORWARDED_SCHEMAS,
    "MessagesRequest": {
        **_request("MessagesRequest", "messages", {**_ANTHROPIC, "stream": {"type": ["boolean", "null"]}}),
        "required": ["model", "messages", "max_tokens"],
    },
    "CountTokensRequest": _request(
        "CountTokensRequest", "messages", {name: _ANTHROPIC[name] for name in _ANTHROPIC if name != "max_tokens"}
    ),
    "ResponseRequest": _request("ResponseRequest", "input", _RESPONSES),
    "ProviderAnswer": _OPENAI,
    "Model": _CARD,
    "ModelList": {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
        },
    },
}

_HEADERS: list[Json] = [
    {"name": name, "in": "header", "required": False, "schema": schema, "description": says}
    for name, schema, says in (
        (
            "x-moongate-cache",
            {"type": "string", "enum": [wish.value for wish in CacheControl]},
            "What is wished of the response cache.",
        ),
        (
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 255},
            "Requests of an account with the same one are carried out once, and answered alike for a day.",
        ),
        ("x-moongate-tags", {"type": "string"}, "Tags that the instance must carry, separated by commas."),
        ("x-request-timeout-ms", {"type": "integer", "minimum": 1}, "For the whole request; it is capped."),
    )
]

REQUEST_SCHEMAS = {
    Endpoint.CHAT: "ChatCompletionRequest",
    Endpoint.COMPLETIONS: "CompletionRequest",
    Endpoint.EMBEDDINGS: "EmbeddingRequest",
    **FORWARDED_REQUESTS,
    Endpoint.MESSAGES: "MessagesRequest",
    Endpoint.COUNT_TOKENS: "CountTokensRequest",
    Endpoint.RESPONSES: "ResponseRequest",
}

_SUMMARIES = {
    Endpoint.CHAT: ("/v1/chat/completions", "Chat completion"),
    Endpoint.COMPLETIONS: ("/v1/completions", "Text completion"),
    Endpoint.EMBEDDINGS: ("/v1/embeddings", "Embeddings"),
    **FORWARDED_SUMMARIES,
    Endpoint.MESSAGES: ("/v1/messages", "Message, as Anthropic's"),
    Endpoint.COUNT_TOKENS: ("/v1/messages/count_tokens", "Tokens of a message's prompt"),
    Endpoint.RESPONSES: ("/v1/responses", "Response"),
}


def llm_paths() -> dict[str, Json]:
    """The paths under `/v1`; each also stands without it."""
    posted = {path: {"post": _post(endpoint, summary)} for endpoint, (path, summary) in _SUMMARIES.items()}
    model = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        **posted,
        "/v1/models": {"get": _get("Models, aliases and routes that this key may use", "ModelList")},
        "/v1/models/{model}": {"get": {**_get("One of them", "Model"), "parameters": [model]}},
    }


def _post(endpoint: Endpoint, summary: str) -> Json:
    answer: Json = _content("ProviderAnswer")
    if endpoint.is_forwarded:
        answer["content"] |= other_answers(endpoint)
    elif endpoint.writes_text:
        answer["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    return {
        "summary": summary,
        "tags": ["llm"],
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {request_media(endpoint): _schema(REQUEST_SCHEMAS[endpoint])}},
        "responses": {"200": answer, **error_responses(admin=False, anthropic=endpoint in MESSAGES)},
    }


def _get(summary: str, schema: str) -> Json:
    return {
        "summary": summary,
        "tags": ["llm"],
        "responses": {"200": _content(schema), **error_responses(admin=False)},
    }


def _content(schema: str) -> Json:
    return {"description": "Done.", "content": {"application/json": _schema(schema)}}


def _schema(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}

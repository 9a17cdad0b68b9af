"""Wire requests to domain requests.

Only what the gateway acts on is looked at; every other field is the provider's to judge. Hand-written, because a
model of whole messages would cost more than the rest of the request.
"""

from collections.abc import Callable
from types import MappingProxyType

from adapters.inbound.http.body import parse_object
from adapters.inbound.http.fields import (
    Fields,
    check_number,
    check_objects,
    check_string_or_strings,
    optional_bool,
    optional_int,
    optional_object,
    required_string,
)
from adapters.inbound.http.forwarded_requests import parse_forwarded
from adapters.inbound.http.messages_requests import MESSAGES, parse_messages
from adapters.inbound.http.prompt_size import PromptSize, input_size, messages_size
from domain.chat import Endpoint, LlmRequest

MAX_CHOICES = 128
MAX_TOKENS = 2**31 - 1

# The most that one picture is charged as: OpenAI, "Images and vision", gpt-4o-mini with 8 tiles at high detail.
IMAGE_TOKENS = 48_169
# A file that the provider keeps: about as many tokens as the largest ordinary context window holds.
FILE_TOKENS = 200_000

_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


def parse_llm_request(endpoint: Endpoint, body: bytes, deployment: str | None = None) -> LlmRequest:
    """The validated request. A `deployment` in the path stands above a model in the body.

    Raises:
        InvalidJson: The body is no strict JSON object.
        InvalidRequest: A field that the gateway needs is missing, of the wrong type or out of bounds.
    """
    fields = parse_object(body)
    if endpoint.is_forwarded:
        return parse_forwarded(endpoint, fields, body, deployment)
    model = deployment or required_string(fields, "model")
    if endpoint in MESSAGES:
        limits = {"most_tokens": MAX_TOKENS, "image_tokens": IMAGE_TOKENS, "file_tokens": FILE_TOKENS}
        return parse_messages(endpoint, model, body, fields, **limits)
    size = _SIZES[endpoint](fields)
    if endpoint is Endpoint.EMBEDDINGS:
        return LlmRequest(
            endpoint, model, body, fields, input_tokens=size.estimated_tokens, most_input_tokens=len(body)
        )
    _check_sampling(fields)
    stream = optional_bool(fields, "stream") or False
    return LlmRequest(
        endpoint,
        model,
        body,
        fields,
        stream=stream,
        stream_usage=stream and _wants_usage(fields),
        input_tokens=size.estimated_tokens,
        max_output_tokens=_max_output_tokens(fields, endpoint),
        # No tokenizer makes more tokens than bytes, and what JSON adds is more than what chat templates add.
        most_input_tokens=len(body) + IMAGE_TOKENS * size.images + FILE_TOKENS * size.files,
        choices=_choices(fields),
    )


def _check_sampling(fields: Fields) -> None:
    for name in _NUMBERS:
        check_number(fields, name)
    check_string_or_strings(fields, "stop")
    check_objects(fields, "tools")


def _choices(fields: Fields) -> int:
    prompt = fields.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int) else 1
    each = max(optional_int(fields, "n", 1, MAX_CHOICES) or 1, optional_int(fields, "best_of", 1, MAX_CHOICES) or 1)
    return prompts * each


def _wants_usage(fields: Fields) -> bool:
    options = optional_object(fields, "stream_options")
    return options is not None and optional_bool(options, "include_usage", "stream_options.") is True


def _max_output_tokens(fields: Fields, endpoint: Endpoint) -> int | None:
    # Completions may ask for 0: with `echo`, the scores of the prompt alone.
    old = optional_int(fields, "max_tokens", 0 if endpoint is Endpoint.COMPLETIONS else 1, MAX_TOKENS)
    new = optional_int(fields, "max_completion_tokens", 1, MAX_TOKENS)
    # Both are passed on, and which of them counts is the provider's to choose.
    return old if new is None else max(new, old or 0)


_SIZES: MappingProxyType[Endpoint, Callable[[Fields], PromptSize]] = MappingProxyType(
    {
        Endpoint.CHAT: messages_size,
        Endpoint.COMPLETIONS: lambda fields: input_size(fields, "prompt"),
        Endpoint.EMBEDDINGS: lambda fields: input_size(fields, "input"),
    }
)

"""The body of a provider's reply: read within limits, believed only as far as it can be checked."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from adapters.outbound.providers.failures import broken_reply, failure_inside_success
from adapters.outbound.providers.splicing import with_model
from adapters.outbound.providers.transport import body_of
from adapters.outbound.providers.usage import usage_of
from domain.chat import Endpoint, Reply
from domain.failure import ProviderFailed
from domain.redaction import Redactor

MAX_REPLY_BYTES: Final = 64 << 20
MAX_ERROR_BYTES: Final = 64 << 10


async def read_whole(response: httpx.Response, max_bytes: int) -> bytes | None:
    """The body; None where it is larger than `max_bytes`. Never reads much more than that."""
    pieces: list[bytes] = []
    size = 0
    async for piece in body_of(response):
        size += len(piece)
        if size > max_bytes:
            return None
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parse_success(body: bytes | None, redactor: Redactor) -> dict[str, object]:
    """The object in a successful reply.

    Raises:
        ProviderFailed: The body is too large, no JSON object, or an error after all.
    """
    if body is None:
        raise ProviderFailed(broken_reply(f"the provider's reply is larger than {MAX_REPLY_BYTES} bytes"))
    document = parse_object(body)
    failure = failure_inside_success(document, redactor)
    if failure is not None and not document.get("choices") and not document.get("data"):
        raise ProviderFailed(failure)
    return document


def parse_object(body: bytes) -> dict[str, object]:
    """The object in a body.

    Raises:
        ProviderFailed: There is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(broken_reply("the provider's reply is not JSON")) from error
    if not isinstance(document, dict):
        raise ProviderFailed(broken_reply("the provider's reply is no JSON object"))
    return document


def parse_event(data: bytes) -> dict[str, Any]:
    """The object in one event of a stream.

    Raises:
        ProviderFailed: There is none.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(broken_reply("the provider's stream holds an event that is not JSON")) from error
    if not isinstance(document, dict):
        raise ProviderFailed(broken_reply("the provider's stream holds an event that is no JSON object"))
    return document


def as_reply(body: bytes, document: Mapping[str, object], endpoint: Endpoint, model: str) -> Reply:
    """The client's reply: the provider's bytes with the client's name for the model.

    Raises:
        ProviderFailed: The reply has not what this endpoint's replies consist of.
    """
    expected = "data" if endpoint is Endpoint.EMBEDDINGS else "choices"
    if not isinstance(document.get(expected), list):
        raise ProviderFailed(broken_reply(f"the provider's reply has no list of {expected}"))
    if "model" in document:
        body = with_model(body, document, model)
    return Reply(body, usage_of(document))

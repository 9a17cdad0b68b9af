"""Requests as the gateway's adapter hands them to the dialect."""

import json
from typing import Any

import pytest

from adapters.outbound.providers.anthropic.request import messages_fields
from adapters.outbound.providers.dialect import Asked
from domain.failure import Failure, ProviderFailed
from tests.wires import anthropic_request
from tests.wires.wire import Heard

MODEL = "claude-sonnet-4-6"
HI = {"role": "user", "content": "Hi"}


def asked(model: str = MODEL, *, max_tokens: int | None = 8_192, drop_params: bool = False, **fields: object) -> Asked:
    return Asked({"messages": [HI], **fields}, model, max_tokens=max_tokens, drop_params=drop_params)


def body_of(request: Asked) -> dict[str, Any]:
    """What goes out, which the judge has accepted."""
    body = messages_fields(request)
    anthropic_request.heard(json.dumps(body).encode())
    return body


def body(model: str = MODEL, **fields: Any) -> dict[str, Any]:
    return body_of(asked(model, **fields))


def heard(model: str = MODEL, **fields: Any) -> Heard:
    return anthropic_request.heard(json.dumps(messages_fields(asked(model, **fields))).encode())


def turns(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = body(messages=list(messages))["messages"]
    return made


def refusal(model: str = MODEL, **fields: Any) -> Failure:
    with pytest.raises(ProviderFailed) as raised:
        messages_fields(asked(model, **fields))
    return raised.value.failure

"""What tests of Bedrock's requests have in common."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from adapters.outbound.providers.bedrock.request import CAPABILITIES, converse_fields
from adapters.outbound.providers.dialect import Asked
from domain.failure import Failure, ProviderFailed
from tests.wires.bedrock_model import asked_of
from tests.wires.wire import WireRequest

CLAUDE = "eu.anthropic.claude-sonnet-4-20250514-v1:0"
LLAMA = "meta.llama3-1-70b-instruct-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
PNG = base64.b64encode(b"\x89PNG...").decode()
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}},
}
USER = {"role": "user", "content": "Hi"}


def asked(model: str = CLAUDE, *, max_tokens: int | None = None, drop_params: bool = False, **fields: Any) -> Asked:
    honoured = CAPABILITIES.honoured({"messages": [USER], **fields}, drop_params=drop_params)
    return Asked(honoured, model, max_tokens=max_tokens, drop_params=drop_params)


def written(request: Asked) -> dict[str, Any]:
    """The body, which AWS's own SDK would have written just so."""
    fields = converse_fields(request)
    path = f"/model/{quote(request.model, safe='-_.~')}/converse"
    asked_of(WireRequest("POST", path, "", {}, json.dumps(fields).encode()), "Converse")
    return fields


def refusal(request: Asked) -> Failure:
    with pytest.raises(ProviderFailed) as raised:
        converse_fields(request)
    return raised.value.failure

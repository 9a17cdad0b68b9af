"""What a client asks, and what would go to Cohere for it."""

from typing import Any

from cohere.v2.client import V2Client

from adapters.outbound.providers.cohere.request import chat_fields
from adapters.outbound.providers.cohere.words import CAPABILITIES
from adapters.outbound.providers.dialect import Asked
from tests.wires.cohere import judge_request

HI = [{"role": "user", "content": "Hi"}]


def asked(*, drop_params: bool = False, **fields: object) -> Asked:
    kept = CAPABILITIES.honoured({"messages": HI} | fields, drop_params=drop_params)
    return Asked(kept, "command-a", drop_params=drop_params)


def sent(*, drop_params: bool = False, **fields: object) -> dict[str, Any]:
    """The body for a chat, which the official SDK could have sent."""
    body = chat_fields(asked(drop_params=drop_params, **fields))
    judge_request(body, V2Client.chat)
    return body


def sent_message(**message: object) -> dict[str, Any]:
    """One message of it."""
    (only,) = sent(messages=[message])["messages"]
    assert isinstance(only, dict)
    return only


def tool(name: str, **more: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}, **more}}

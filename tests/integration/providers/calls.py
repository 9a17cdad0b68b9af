"""Calls as the application makes them."""

import json
from collections.abc import Mapping

from application.ports.provider import Call
from domain.chat import Endpoint, LlmRequest
from domain.identifiers import RequestId

REQUEST_ID = RequestId("01890000-0000-7000-8000-000000000001")


def call(
    fields: Mapping[str, object] | None = None,
    *,
    body: bytes | None = None,
    endpoint: Endpoint = Endpoint.CHAT,
    upstream_model: str = "gpt-4o",
    drop_params: bool = False,
) -> Call:
    if body is None:
        body = json.dumps(fields or {"model": "mine", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    parsed = json.loads(body)
    options = parsed.get("stream_options")
    return Call(
        request_id=REQUEST_ID,
        request=LlmRequest(
            endpoint=endpoint,
            model=parsed.get("model", "mine"),
            body=body,
            fields=parsed,
            stream=parsed.get("stream") is True,
            stream_usage=isinstance(options, dict) and options.get("include_usage") is True,
        ),
        reply_model=parsed.get("model", "mine"),
        upstream_model=upstream_model,
        drop_params=drop_params,
    )


def stream_call(**more: object) -> Call:
    return call({"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "stream": True, **more})

"""A request of a model, with all that its headers say of it."""

from dataclasses import replace

from adapters.inbound.http.exchange import Incoming
from adapters.inbound.http.messages_requests import MESSAGES
from adapters.inbound.http.request_headers import (
    anthropic_betas,
    cache_control,
    idempotency_key,
    tags,
    timeout_us,
)
from application.gateway_request import GatewayRequest
from domain.chat import LlmRequest


def gateway_request(request: Incoming, llm: LlmRequest) -> GatewayRequest:
    """What the use cases are asked. `llm`: what its body says."""
    if llm.endpoint in MESSAGES and (betas := anthropic_betas(request.raw)):
        llm = replace(llm, betas=betas)
    return GatewayRequest(
        request.request_id,
        request.known_caller,
        llm,
        tags(request.raw),
        timeout_us(request.raw),
        request.client_request_id,
        cache_control(request.raw),
        idempotency_key=idempotency_key(request.raw),
    )

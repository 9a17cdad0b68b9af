"""Replies that may be cut because whoever asks first has a hard budget, for which the gateway sets a maximum."""

from application.gateway_request import GatewayRequest

_MARK = "!"


def is_bounded(request: GatewayRequest) -> bool:
    """Whether its reply may be shorter than what another caller would get for the same request."""
    llm = request.llm
    return llm.max_output_tokens is None and llm.endpoint.writes_text and request.caller.has_hard_budget


def owner_name(request: GatewayRequest, number: int) -> str:
    """Of the fill under which it calls: other gateways see from it whether it is bounded."""
    return f"{request.request_id}:{number}{_MARK if is_bounded(request) else ''}"


def owns_bounded(owner: str) -> bool:
    """Whether the request whose fill has that name is."""
    return owner.endswith(_MARK)

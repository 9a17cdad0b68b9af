"""Cohere's reranking, whose fields are those of everybody's: it is forwarded."""

import httpx

from adapters.outbound.providers.cohere.dialect import CohereConfig, request_headers
from adapters.outbound.providers.cohere.failures import failure_of_reply
from adapters.outbound.providers.exchange import Exchange
from adapters.outbound.providers.forwarding.forwarder import Forwarder


def reranking(config: CohereConfig, transport: httpx.AsyncBaseTransport) -> Forwarder:
    """What sends such requests (API reference, "Rerank API (v2)")."""
    redactor, url = config.redactor(), config.url("v2/rerank")
    headers = request_headers(config, stream=False)
    exchange = Exchange(transport, redactor, failure_of_reply)
    return Forwarder(exchange, redactor, lambda _endpoint, _model: url, lambda _accept: headers)

from dataclasses import dataclass

from application.dispatch import Dispatch
from application.gateway_request import Completed, GatewayRequest
from application.output_count import counted_usage, written_characters
from application.ports.provider import Call, Provider
from application.spans import Spans, time_limit
from domain.chat import Reply, Usage
from domain.pricing import estimate_tokens


@dataclass(frozen=True, slots=True)
class Complete:
    """Serves a request with a whole reply: chat, completions, embeddings."""

    dispatch: Dispatch

    async def __call__(self, request: GatewayRequest) -> Completed:
        """The reply of the first attempt that succeeds.

        Raises:
            GatewayError: There was none.
        """
        served = await self.dispatch.run(request, _whole_reply)
        reply, attempt = served.value, served.attempt
        attempt.succeeded(reply.usage or _counted(request, reply), was_asked=not reply.by_gateway)
        self.dispatch.finish(served.journey, "success", attempt.cost_nano, reply.usage)
        return Completed(reply, attempt.instance, attempt.cost_nano, served.journey.trace)


async def _whole_reply(provider: Provider, call: Call, spans: Spans) -> Reply:
    async with time_limit(spans.attempt_us, "the provider did not answer in time"):
        return await provider.complete(call)


def _counted(request: GatewayRequest, reply: Reply) -> Usage:
    """Tokens as the gateway counts them, where the provider reported none."""
    written = estimate_tokens(written_characters(reply.body)) if request.llm.endpoint.writes_text else 0
    return counted_usage(request.llm, written)

"""What a use case is given, and what it gives back."""

from dataclasses import dataclass

from application.ports.provider import ChunkStream
from domain.caching import CacheControl, CacheStatus
from domain.callers import Caller
from domain.catalog import Instance, Resolved
from domain.chat import LlmRequest, Reply
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One request of one caller.

    Attributes:
        tags: Instances must carry all of these.
        timeout_us: The caller's wish for the whole request; None where it has none. Capped by the policy.
        cache: What the caller wishes of the cache.
        cache_status: How it met the cache; None where there is none, or that is not known yet.
        degraded: What has been done without its store by now.
        idempotency_key: Requests with the same one are to be carried out once.
    """

    request_id: RequestId
    caller: Caller
    llm: LlmRequest
    tags: frozenset[str] = frozenset()
    timeout_us: int | None = None
    client_request_id: str | None = None
    cache: CacheControl = CacheControl.DEFAULT
    cache_status: CacheStatus | None = None
    degraded: tuple[str, ...] = ()
    idempotency_key: str | None = None

    def begin_trace(self, resolved: Resolved, started_us: int) -> DecisionTrace:
        """Its story, of which nothing has happened yet."""
        return DecisionTrace(
            request_id=self.request_id,
            requested_model=self.llm.model,
            endpoint=self.llm.endpoint.value,
            stream=self.llm.stream,
            started_us=started_us,
            account=self.caller.account,
            caller=self.caller.name,
            client_request_id=self.client_request_id,
            route=resolved.route.slug if resolved.route else None,
            cache=self.cache_status,
            degraded=self.degraded,
            route_strategy=resolved.route.strategy.value if resolved.route else None,
        )


@dataclass(frozen=True, slots=True)
class Completed:
    """A whole reply, what it cost, and the story of how it came. `instance`: who gave it; None for a stored one."""

    reply: Reply
    instance: Instance | None
    cost_nano: int
    trace: DecisionTrace


@dataclass(frozen=True, slots=True)
class Streaming:
    """A stream that has its first content, so that it can't fail over any more.

    Iterating `chunks` raises `application.errors.StreamBroken` where the stream ends early. Whoever takes this must
    exhaust `chunks` or call `aclose()` on it.

    Attributes:
        content_type: What the chunks are made of, where they are a provider's own bytes; None for OpenAI's chunks.
    """

    chunks: ChunkStream
    instance: Instance | None
    trace: DecisionTrace
    content_type: str | None = None

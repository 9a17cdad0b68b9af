"""Gateways that share the stores of replies, in virtual time; their providers speak OpenAI's shape."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, Self

from adapters.outbound.memory.fills import Fills
from adapters.outbound.memory.flights import MemoryFlights
from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.system.fingerprint import HmacFingerprint
from adapters.testing.doubles import SeededRandomness
from adapters.testing.scripted_provider import Act, ScriptedProvider
from adapters.testing.virtual_time import VirtualClock
from application.caching.cache_keys import CacheKeys
from application.caching.cache_uses import CacheUses
from application.caching.caching import Caching
from application.caching.coming_along import ComingAlong
from application.caching.flights_here import FlightsHere
from application.caching.hits import Hits, HitTools
from application.caching.idempotency import Idempotency
from application.caching.packing import Packing
from application.fan_out import Observers
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.provider import Call, ChunkStream
from application.ports.response_cache import LARGEST_ENTRY_BYTES
from domain.caching import CachePolicy
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, RouterPolicy
from domain.chat import Chunk, Endpoint, Reply
from domain.identifiers import InstanceId, RequestId
from domain.limits.rate_policy import RatePolicy
from domain.routing.decision import DecisionTrace
from tests.unit.dispatch.gateway import Gateway, member, models

QUESTION: Mapping[str, Any] = {"temperature": 0, "messages": [{"role": "user", "content": "how far is the moon?"}]}


def fleet_of(size: int, act: Act, shared: "SharedReplies | None" = None) -> list["CachingGateway"]:
    """Gateways whose providers all play `act`."""
    replies = shared or SharedReplies()
    gateways = [CachingGateway(replies) for _ in range(size)]
    for gateway in gateways:
        for upstream in gateway.inner.upstreams.values():
            upstream.otherwise = act
    return gateways


def cut(gateways: list["CachingGateway"], cuts: Callable[[Call], bool]) -> None:
    """Their providers cut the calls that `cuts` says."""
    for gateway in gateways:
        for upstream in gateway.inner.upstreams.values():
            assert isinstance(upstream, OpenAiProvider)
            upstream.cuts = cuts


def calls_of(gateways: list["CachingGateway"]) -> int:
    """How many calls went upstream from all of them."""
    return sum(gateway.calls for gateway in gateways)


def key_of(name: str, team: str = "T", **changes: Any) -> Caller:
    return replace(Caller(CallerKind.KEY, name, tenant=f"team:{team}", team_id=team, user_id="U"), **changes)


def never(_call: Call) -> bool:
    return False


class OpenAiProvider(ScriptedProvider):
    """The same script, told as chat completions, with as many choices as are asked for.

    `cuts`: which calls get "cut" instead, for want of tokens. `lost`: how many choices do not come.
    """

    cuts: Callable[[Call], bool] = staticmethod(never)
    lost = 0

    async def complete(self, call: Call) -> Reply:
        reply = await super().complete(call)
        is_cut = self.cuts(call)
        message = {"role": "assistant", "content": "cut" if is_cut else json.loads(reply.body)["content"]}
        body = _head(call, "chat.completion", "length" if is_cut else "stop", message=message)
        body["choices"] = _for_each(body, call.request.choices - self.lost)
        return replace(reply, body=json.dumps(body).encode())

    async def stream(self, call: Call) -> ChunkStream:
        return _Chunks(call, await super().stream(call), is_cut=self.cuts(call), lost=self.lost)


class _Chunks:
    def __init__(self, call: Call, told: ChunkStream, *, is_cut: bool, lost: int) -> None:
        self._call, self._told, self._is_cut, self._lost = call, told, is_cut, lost

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        (chunk,) = await anext(self._told)
        if chunk.usage is None:
            text = "cut" if self._is_cut else json.loads(chunk.data)["text"]
            return (self._chunk({"role": "assistant", "content": text}),)
        counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        usage = {**_head(self._call, "chat.completion.chunk"), "choices": [], "usage": counts}
        shown = self._call.request.stream_usage
        return self._chunk({}, "length" if self._is_cut else "stop"), chunk._replace(
            data=json.dumps(usage).encode(), visible=shown
        )

    async def aclose(self) -> None:
        await self._told.aclose()

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> Chunk:
        said = _head(self._call, "chat.completion.chunk", finish, delta=delta)
        said["choices"] = _for_each(said, self._call.request.choices - self._lost)
        return Chunk(json.dumps(said).encode())


def _for_each(said: Mapping[str, Any], choices: int) -> list[Any]:
    """What one choice says, said by each."""
    return [{**said["choices"][0], "index": index} for index in range(choices)]


def _head(call: Call, kind: str, finish: str | None = None, **said: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, **said}
    return {"id": "c-1", "object": kind, "created": 1, "model": call.reply_model, "choices": [choice]}


class SpyObserver:
    def __init__(self) -> None:
        self.traces: list[DecisionTrace] = []

    def finished(self, trace: DecisionTrace) -> None:
        self.traces.append(trace)


async def _pepper() -> bytes:
    return b"sixteen bytes at least"


@dataclass
class SharedReplies:
    """What all gateways keep replies in."""

    max_entry_bytes: int = LARGEST_ENTRY_BYTES
    fills: Fills = field(default_factory=Fills)

    def __post_init__(self) -> None:
        clock = VirtualClock()
        self.cache = MemoryResponseCache(clock, max_entry_bytes=self.max_entry_bytes, fills=self.fills)
        self.flights = MemoryFlights(clock, self.fills)


class InPlace(Executor):
    """For virtual time, which waits for no thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class CachingGateway:
    """One gateway with a model `gpt` of two instances and `wide`, its fallback."""

    def __init__(
        self, shared: SharedReplies, *, policy: CachePolicy | None = None, rates: RatePolicy | None = None
    ) -> None:
        found = models(member("gpt", "a", priority=2), member("gpt", "b"), member("wide", "w"), member("other", "o"))
        catalog = Catalog(found, aliases={"alias": "gpt"}, fallbacks={"gpt": ("wide",)})  # type: ignore[dict-item]
        self.inner = Gateway(catalog, RouterPolicy(), rates=rates or RatePolicy())
        for name in self.inner.upstreams:
            self.inner.upstreams[name] = OpenAiProvider()
        self.policy, self.observer, self.clock = policy or CachePolicy(), SpyObserver(), self.inner.clock
        complete, stream, clock = self.inner._complete, self.inner._stream, self.inner.clock
        catalog_source = complete.dispatch.catalog_source
        observers = Observers([self.observer])
        hits = Hits(HitTools(self.inner.gate, self.inner.journaling, self.inner.decisions, observers, clock))
        keys = CacheKeys(HmacFingerprint(), _pepper)
        self.uses = CacheUses(shared.cache, clock)
        self.here = FlightsHere(shared.cache, shared.flights, clock, complete, stream, shared.max_entry_bytes)
        self.caching = Caching(
            complete,
            stream,
            lambda: self.policy,
            catalog_source,
            keys,
            shared.cache,
            self.here,
            hits,
            ComingAlong(hits),
            self.uses,
            clock,
            SeededRandomness(),
        )
        runs = FlightsHere(
            shared.cache, shared.flights, clock, self.caching.complete, self.caching.stream, shared.max_entry_bytes
        )
        self.idempotency = Idempotency(
            self.caching.complete, self.caching.stream, catalog_source, keys, runs, hits, clock, Packing(InPlace())
        )
        self._asked = 0

    def request(self, *, model: str = "gpt", stream: bool = False, **changes: Any) -> GatewayRequest:
        """Of the question, or other `fields`."""
        self._asked += 1
        fields = changes.pop("fields", QUESTION)
        caller = changes.pop("caller", key_of("K"))
        usage = changes.pop("stream_usage", False)
        asked = self.inner.request(model, stream=stream, caller=caller, endpoint=changes.pop("endpoint", Endpoint.CHAT))
        llm = replace(
            asked.llm,
            fields=fields,
            body=json.dumps(fields).encode(),
            stream_usage=usage,
            choices=fields.get("n", 1),
            max_output_tokens=fields.get("max_tokens"),
        )
        name = RequestId(f"{id(self)}-{self._asked}")
        return replace(asked, request_id=name, llm=llm, **changes)

    async def complete(self, **changes: Any) -> Completed:
        return await self.idempotency.complete(self.request(**changes))

    async def stream(self, **changes: Any) -> Streaming:
        return await self.idempotency.stream(self.request(stream=True, **changes))

    async def text(self, **changes: Any) -> str:
        """What a stream says to its end."""
        return said(await drained(await self.stream(**changes)))

    def upstream(self, name: str = "a") -> ScriptedProvider:
        return self.inner.upstreams[InstanceId(name)]

    @property
    def calls(self) -> int:
        """How many calls went upstream from here."""
        return sum(len(upstream.calls) for upstream in self.inner.upstreams.values())


async def drained(streaming: Streaming) -> list[Chunk]:
    return [chunk async for batch in streaming.chunks for chunk in batch]


def said(chunks: list[Chunk]) -> str:
    parts = [json.loads(chunk.data)["choices"] for chunk in chunks if chunk.visible]
    return "".join(choice["delta"].get("content") or "" for choices in parts for choice in choices)


def content_of(completed: Completed) -> str:
    return str(json.loads(completed.reply.body)["choices"][0]["message"]["content"])

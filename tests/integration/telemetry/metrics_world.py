"""The whole application with scripted providers and a real Valkey, and the eyes that watch its metrics."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dependency_injector.providers import Object
from prometheus_client.parser import text_string_to_metric_families
from quart import typing as quart_typing

from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.outbound.telemetry.metrics import METRICS
from adapters.testing.doubles import FakeProviderDirectory
from adapters.testing.scripted_provider import ScriptedProvider
from adapters.testing.virtual_time import ManualClock
from application.ports.usage_journal import JournalFull
from bootstrap import Container
from bootstrap.settings import parse_settings
from domain.identifiers import InstanceId
from domain.usage_record import UsageRecord
from tests.servers.redis_servers import RedisServer

MASTER = "master-secret"
PATIENT = {"command_timeout": "5s", "connect_timeout": "5s"}
PRICES = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class FillableJournal(MemoryUsageJournal):
    """A journal whose disk may be full."""

    is_full = False

    def append_outcome(self, record: UsageRecord) -> None:
        if self.is_full:
            raise JournalFull("full")
        super().append_outcome(record)


def _entry(model: str, name: str, priority: int) -> dict[str, Any]:
    provider = {"type": "custom", "base_url": "http://127.0.0.1:1/v1"}
    return {"model_name": model, "id": name, "priority": priority, "provider": provider, **PRICES}


def _document(redis_url: str) -> dict[str, Any]:
    return {
        "model_list": [_entry("gpt", "a", 2), _entry("gpt", "b", 1), _entry("solo", "s", 1), _entry("small", "c", 1)],
        "router": {"model_fallbacks": {"solo": ["small"]}},
        "redis": {"url": redis_url, **PATIENT},
        "state": "redis",
    }


class World:
    """One application, and what was seen of its metrics."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.server, self.clock, self.journal = server, ManualClock(), FillableJournal()
        self.upstreams = {InstanceId(name): ScriptedProvider() for name in "absc"}
        self.container = Container(
            settings=parse_settings(_document(server.url), environ={}).settings,
            master_key=MASTER,
            facts=Object(ProcessFacts("full", "test", "1.2.3")),
            data_dir=Object(folder),
            clock=Object(self.clock),
            usage_journal=Object(self.journal),
            provider_directory=Object(FakeProviderDirectory(dict(self.upstreams))),
        )
        self.client: quart_typing.TestClientProtocol = self.container.http_app().test_client()
        self.moved: set[str] = set()

    def upstream(self, name: str) -> ScriptedProvider:
        return self.upstreams[InstanceId(name)]

    async def ask(self, model: str, key: str = MASTER, *, stream: bool = False) -> int:
        """One chat request; its status."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
        headers = {"authorization": f"Bearer {key}"}
        reply = await self.client.post("/v1/chat/completions", json=body, headers=headers)
        await reply.get_data()
        return reply.status_code

    async def make_key(self, **fields: object) -> str:
        """The secret of a new key."""
        headers = {"authorization": f"Bearer {MASTER}"}
        reply = await self.client.post("/admin/v1/keys", headers=headers, data=json.dumps({"name": "k", **fields}))
        made = await reply.get_json()
        return str(made["key"])

    async def look(self) -> Samples:
        """What is told now. What is not 0 has moved: nothing else made it so."""
        _, text = await self.container.scrape()("")
        seen = samples_of(text.decode())
        owners = {name: metric.name for metric in METRICS for name in series_names(metric.name)}
        self.moved |= {owners[name] for (name, _), value in seen.items() if value}
        return seen


def series_names(name: str) -> tuple[str, ...]:
    """Under which names a metric's samples stand; of a histogram, too."""
    return name, f"{name}_bucket", f"{name}_count", f"{name}_sum"


def samples_of(text: str) -> Samples:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def total(seen: Samples, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(value for (found, has), value in seen.items() if found == name and labels.items() <= dict(has).items())


@asynccontextmanager
async def world(server: RedisServer, folder: Path) -> AsyncIterator[World]:
    """One whose parts are open, and whose background work is done by the test alone."""
    made = World(server, folder)
    parts = [made.container.shared_state(), made.container.bookkeeping(), made.container.measuring()]
    await made.container.store_watch().meet()
    for part in parts:
        await part.open()
    try:
        yield made
    finally:
        await made.container.caller_gate().settle()
        for part in reversed(parts):
            await part.close()
        await made.container.stores().aclose()


async def meanwhile(work: Awaitable[object], holds: Callable[[], object]) -> "asyncio.Future[object]":
    """Begins `work`, and returns when `holds` does."""
    begun = asyncio.ensure_future(work)
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nobody tells when it changes
            await asyncio.sleep(0)
    return begun

"""One gateway in front of an upstream for every wire; each test has a model of its own there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from bootstrap.settings.providers import BUILT_TYPES
from tests.e2e.gateway_process import Gateway, configuration, running_gateway
from tests.wires.all_wires import WIRES
from tests.wires.server import Lane, WireServer
from tests.wires.wire import Refused, Said, Wire, WireReply

MODELS_PER_WIRE = 160
# What fails here is meant to: no test may find an instance cooling down for what it did itself a moment ago.
ROUTER = {"instance_retry_attempts": 0, "circuit_breaker": {"consecutive_failures": 1000}}


@dataclass(frozen=True, slots=True)
class Part:
    """A model of a test's own.

    Attributes:
        model: What clients ask for.
        lane: What the upstream plays under its own name for it.
    """

    wire: Wire
    model: str
    lane: Lane


@dataclass(slots=True)
class Stage:
    """The gateway, its clients, and the upstreams by the name of their wire.

    Attributes:
        elsewhere: A server that is in no configuration: nothing may arrive there.
    """

    gateway: Gateway
    client: AsyncOpenAI
    anthropic: AsyncAnthropic
    upstreams: dict[str, WireServer]
    elsewhere: WireServer
    given: dict[str, int] = field(default_factory=dict)

    def part(self, wire: Wire, scene: Said | Refused | WireReply, *, bytewise: bool = False) -> Part:
        """A model that nobody has asked yet, and what its provider is to answer."""
        number = self.given.get(wire.name, 0)
        assert number < MODELS_PER_WIRE, f"more than {MODELS_PER_WIRE} parts: raise MODELS_PER_WIRE"
        self.given[wire.name] = number + 1
        lane = self.upstreams[wire.name].lane(_upstream_model(number))
        lane.scene, lane.bytewise = scene, bytewise
        return Part(wire, _model(wire, number), lane)


@asynccontextmanager
async def running_stage(folder: Path) -> AsyncIterator[Stage]:
    """All servers, and the gateway in front of them."""
    unbuilt = {wire.name for wire in WIRES} - BUILT_TYPES
    assert not unbuilt, f"wires of providers that the gateway does not have: {unbuilt}"
    async with AsyncExitStack() as stack:
        elsewhere = await stack.enter_async_context(WireServer())
        upstreams = {wire.name: await stack.enter_async_context(WireServer(wire)) for wire in WIRES}
        models = [entry for wire in WIRES for entry in _instances(wire, upstreams[wire.name].base_url)]
        gateway = await stack.enter_async_context(running_gateway(configuration(models, router=ROUTER), folder))
        url = f"http://127.0.0.1:{gateway.port}"
        client = await stack.enter_async_context(gateway.client())
        anthropic = AsyncAnthropic(base_url=url, api_key=gateway.key, max_retries=0, timeout=20.0)
        yield Stage(gateway, client, await stack.enter_async_context(anthropic), upstreams, elsewhere)


def _instances(wire: Wire, base_url: str) -> list[dict[str, object]]:
    return [
        {"model_name": _model(wire, number), "id": _model(wire, number), "provider": _provider(wire, base_url, number)}
        for number in range(MODELS_PER_WIRE)
    ]


def _provider(wire: Wire, base_url: str, number: int) -> dict[str, object]:
    return wire.settings(base_url, _upstream_model(number))


def _model(wire: Wire, number: int) -> str:
    return f"{wire.name}-{number:03}"


def _upstream_model(number: int) -> str:
    """All of one length, so that none is a part of another."""
    return f"known-upstream-as-{number:03}"

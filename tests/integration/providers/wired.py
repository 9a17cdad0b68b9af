"""A provider made from its settings, in front of an upstream that speaks its wire format."""

import httpx
from pydantic import TypeAdapter

from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import ManualClock
from application.ports.provider import Provider
from bootstrap.provider_wiring import configured_providers
from bootstrap.settings.providers import AnyProviderSettings, ProviderSettings
from domain.identifiers import InstanceId
from tests.integration.providers.upstream import Pieces
from tests.wires.wire import Heard, Wire, WireReply, WireRequest

BASE_URL = "https://upstream.test/lane-a"
MODEL = "the-upstreams-model"


class Upstream:
    """Answers with the replies in their order; what it heard, and was sent, is kept."""

    def __init__(self, wire: Wire, *replies: WireReply) -> None:
        self._wire = wire
        self._replies = iter(replies)
        self.requests: list[WireRequest] = []

    @property
    def heard(self) -> Heard:
        """The last request, which must be one for a chat."""
        return self._wire.hear(self.requests[-1])

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        url = request.url
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = url.raw_path.decode("ascii").partition("?")[0]
        self.requests.append(WireRequest(request.method, path, url.query.decode(), headers, request.content))
        reply = next(self._replies)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=Pieces(reply.pieces))


def settings_of(wire: Wire) -> AnyProviderSettings:
    """As a configuration file would say it."""
    adapter: TypeAdapter[AnyProviderSettings] = TypeAdapter(ProviderSettings)
    return adapter.validate_python(wire.settings(BASE_URL, MODEL))


def wired(wire: Wire, *replies: WireReply) -> tuple[Provider, Upstream]:
    """The provider, and what it calls."""
    upstream = Upstream(wire, *replies)
    providers = configured_providers(
        {InstanceId("it"): settings_of(wire)}, httpx.MockTransport(upstream), ManualClock(), SeededRandomness()
    )
    provider = providers.find(InstanceId("it"))
    assert provider is not None
    return provider, upstream

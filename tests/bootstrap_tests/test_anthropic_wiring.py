"""An instance of Anthropic's, from its settings to what it sends."""

import httpx
from pydantic import TypeAdapter

from adapters.testing.doubles import SeededRandomness
from adapters.testing.provider_contract import UPSTREAM_MODEL, a_call
from adapters.testing.virtual_time import ManualClock
from bootstrap.provider_wiring import CAPABILITIES, configured_providers
from bootstrap.settings.providers import AnyProviderSettings, ProviderSettings
from domain.chat import Endpoint
from domain.identifiers import InstanceId
from tests.integration.providers.upstream import Pieces
from tests.wires.anthropic import AnthropicWire
from tests.wires.wire import Said, WireRequest

WIRE = AnthropicWire()
ID = InstanceId("claude")


async def test_settings_become_a_provider_that_its_wire_understands() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=Pieces(WIRE.whole(Said(text="Yes"), UPSTREAM_MODEL).pieces))

    fields = {**WIRE.settings("http://own.example", UPSTREAM_MODEL), "headers": {"anthropic-beta": "b"}}
    settings: AnyProviderSettings = TypeAdapter(ProviderSettings).validate_python(fields)
    providers = configured_providers({ID: settings}, httpx.MockTransport(answer), ManualClock(), SeededRandomness())
    provider = providers.find(ID)
    assert provider is not None
    await provider.complete(a_call())

    (request,) = sent
    headers = dict(request.headers)
    heard = WIRE.hear(WireRequest(request.method, request.url.path, "", headers, request.content))
    assert (request.url.host, heard.model, headers["anthropic-beta"]) == ("own.example", UPSTREAM_MODEL, "b")


def test_chat_and_what_chat_makes_possible_are_what_it_supports() -> None:
    dialects = {Endpoint.MESSAGES, Endpoint.COUNT_TOKENS, Endpoint.RESPONSES}
    assert CAPABILITIES["anthropic"].supports == {Endpoint.CHAT, Endpoint.COMPLETIONS} | dialects

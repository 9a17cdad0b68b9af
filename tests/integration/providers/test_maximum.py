"""A maximum that the gateway sets must reach the provider in every dialect: hard budgets rest on it."""

from dataclasses import replace

import pytest

from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.upstream import drain
from tests.integration.providers.wired import MODEL, wired
from tests.wires.all_wires import WIRES
from tests.wires.wire import Said, Wire

# Vertex AI is asked in Gemini's words, and would want a token first.
EACH = pytest.mark.parametrize("wire", [wire for wire in WIRES if wire.name != "vertex"], ids=lambda wire: wire.name)
SAID = Said("hello there")


@EACH
async def test_the_gateways_maximum_stands_where_the_client_set_none(wire: Wire) -> None:
    provider, upstream = wired(wire, wire.whole(SAID, MODEL), wire.stream(SAID, MODEL))

    await provider.complete(replace(call(upstream_model=MODEL), max_output_tokens=77))
    assert (upstream.heard.max_tokens, upstream.heard.stream) == (77, False)

    await drain(await provider.stream(replace(stream_call(), upstream_model=MODEL, max_output_tokens=78)))
    assert (upstream.heard.max_tokens, upstream.heard.stream) == (78, True)


@EACH
async def test_the_clients_own_maximum_is_passed_on(wire: Wire) -> None:
    fields = {"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
    provider, upstream = wired(wire, wire.whole(SAID, MODEL))

    await provider.complete(call(fields, upstream_model=MODEL))

    assert upstream.heard.max_tokens == 9

"""Where every provider's credentials go: to its configured host, whatever it answers and whatever clients ask for."""

from collections.abc import Mapping

import openai
import pytest

from tests.e2e.matrix.hearing import assert_heard
from tests.e2e.matrix.scenes import ASK, ASKED, SUNNY
from tests.e2e.matrix.stage import Stage
from tests.e2e.matrix.told import ask, error_of, told_by, told_of
from tests.wires.all_wires import WIRES
from tests.wires.server import NOT_UNDERSTOOD
from tests.wires.wire import Wire, WireReply

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
]
FIELDS = ("base_url", "api_base", "api_url", "endpoint", "host", "provider", "proxy")
HEADERS = ("x-base-url", "x-api-base", "api-base", "openai-base-url", "x-upstream-url", "x-forwarded-host", "forwarded")


def asked(**more: object) -> Mapping[str, object]:
    """A plain question, and this."""
    return {"messages": [{"role": "user", "content": ASK}], **more}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [302, 307])
async def test_redirect_of_the_provider_is_not_followed(stage: Stage, wire: Wire, status: int, streamed: bool) -> None:
    location = {"location": f"{stage.elsewhere.base_url}/v1/chat/completions"}
    part = stage.part(wire, WireReply(status, (b"",), location))

    with pytest.raises(openai.InternalServerError) as refused:
        await ask(stage.client, part.model, asked(), streamed=streamed)

    assert (refused.value.status_code, refused.value.code) == (502, "upstream_error")
    assert stage.elsewhere.base_url not in refused.value.message
    assert len(part.lane.requests) == 1
    assert stage.elsewhere.astray == []


@pytest.mark.parametrize("field", FIELDS)
async def test_address_in_a_clients_body_is_refused_or_means_nothing(stage: Stage, wire: Wire, field: str) -> None:
    part = stage.part(wire, SUNNY)
    url = stage.elsewhere.base_url
    address = {"type": "custom", "base_url": url} if field == "provider" else url

    error = await error_of(stage.client, part.model, asked(extra_body={field: address}))

    if error is not None:
        # Who speaks the client's dialect is sent fields that the gateway does not know, and judges them.
        judged = error.status_code == NOT_UNDERSTOOD and field in error.message
        assert judged or (error.code, error.param) == ("unsupported_operation", field)

    assert stage.elsewhere.astray == []


async def test_address_in_a_clients_headers_means_nothing(stage: Stage, wire: Wire) -> None:
    part = stage.part(wire, SUNNY)
    headers = dict.fromkeys(HEADERS, stage.elsewhere.base_url)

    reply = await ask(stage.client, part.model, asked(extra_headers=headers), streamed=False)

    assert told_by(reply) == told_of(SUNNY)
    assert_heard(part, ASKED)
    assert not set(HEADERS) & set(part.lane.requests[0].headers)
    assert stage.elsewhere.astray == []


async def test_pictures_address_is_never_called_by_the_gateway(stage: Stage, wire: Wire) -> None:
    part = stage.part(wire, SUNNY)
    picture = {"type": "image_url", "image_url": {"url": f"{stage.elsewhere.base_url}/cat.png"}}

    error = await error_of(stage.client, part.model, {"messages": [{"role": "user", "content": [picture]}]})

    assert error is None or error.code == "unsupported_operation"
    assert stage.elsewhere.astray == []


async def test_clients_key_does_not_reach_the_provider(stage: Stage, wire: Wire) -> None:
    part = stage.part(wire, SUNNY)
    headers = {"x-api-key": stage.gateway.key, "api-key": stage.gateway.key, "x-goog-api-key": stage.gateway.key}

    await ask(stage.client, part.model, asked(extra_headers=headers), streamed=False)

    assert_heard(part, ASKED)
    assert stage.gateway.key not in str(part.lane.requests)

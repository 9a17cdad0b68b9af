"""Errors of every provider, as OpenAI's official client shows them."""

import openai
import pytest

from tests.e2e.matrix.scenes import CHAT
from tests.e2e.matrix.stage import Part, Stage
from tests.e2e.matrix.told import ask
from tests.wires.all_wires import WIRES
from tests.wires.wire import Refused, Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
    pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"]),
]
WORDS = "the temperature must be below 2 °C"


async def refused(stage: Stage, part: Part, *, streamed: bool) -> openai.APIStatusError:
    """The error of one request that the provider heard once."""
    with pytest.raises(openai.APIStatusError) as raised:
        await ask(stage.client, part.model, CHAT.asked, streamed=streamed)
    assert part.lane.last.stream is streamed
    assert len(part.lane.requests) == 1
    assert raised.value.request_id
    return raised.value


async def test_bad_request_is_one_for_the_client_with_the_providers_words(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    error = await refused(stage, stage.part(wire, Refused(400, WORDS)), streamed=streamed)

    assert isinstance(error, openai.BadRequestError)
    assert WORDS in error.message


async def test_failure_of_the_provider_is_a_502(stage: Stage, wire: Wire, streamed: bool) -> None:
    error = await refused(stage, stage.part(wire, Refused(500, WORDS)), streamed=streamed)

    assert isinstance(error, openai.InternalServerError)
    assert (error.status_code, error.code) == (502, "upstream_error")


async def test_rate_limit_is_one_for_the_client_and_says_when_to_come_back(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    error = await refused(stage, stage.part(wire, Refused(429, WORDS, retry_after_s=30)), streamed=streamed)

    assert isinstance(error, openai.RateLimitError)
    assert WORDS in error.message
    assert 25 <= int(error.response.headers["retry-after"]) <= 30


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credential_of_the_gateway_never_reads_as_the_clients(
    stage: Stage, wire: Wire, streamed: bool, status: int
) -> None:
    error = await refused(stage, stage.part(wire, Refused(status, WORDS)), streamed=streamed)

    assert error.status_code == 502
    assert WORDS not in error.message

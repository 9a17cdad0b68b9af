"""Errors as the official client shows them: the right class, status, code, message and headers."""

import time
from collections.abc import AsyncIterator

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion

from tests.e2e.behaviour import Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = {"circuit_breaker": {"open_duration": "60s", "consecutive_failures": 3}, "instance_retry_attempts": 2}
LANES = ("fine", "picky", "limited", "limited-twin", "broken", "opens", "hangs", "hangs-too", "patient", "locked")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance("limited" if lane == "limited-twin" else lane, upstream.base_url, lane) for lane in LANES]
    models.append(instance("nobody", f"http://127.0.0.1:{free_port()}/v1"))
    async with running_gateway(configuration(models, router=ROUTER), tmp_path_factory.mktemp("errors")) as running:
        yield running


async def ask(client: AsyncOpenAI, model: str, headers: dict[str, str] | None = None) -> ChatCompletion:
    return await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hello"}], extra_headers=headers
    )


async def test_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    async with gateway.client(key="sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            await ask(client, "fine")

    assert refused.value.code == "invalid_api_key"
    assert refused.value.request_id
    assert "sk-wrong" not in refused.value.message


async def test_unknown_model_is_a_not_found_error(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await ask(client, "no-such-model")

    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert "no-such-model" in refused.value.message


async def test_unknown_model_cannot_be_retrieved(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await client.models.retrieve("no-such-model")

    assert refused.value.code == "model_not_found"


async def test_bad_request_keeps_the_providers_message_and_is_never_retried(
    client: AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    lane = upstream.lane("picky")
    lane.queue(*[failing(400, "temperature must be below 2", code="bad_temperature")] * 12)

    for _ in range(12):
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(client, "picky")
        assert "temperature must be below 2" in refused.value.message
        assert refused.value.code == "bad_temperature"

    assert len(lane.requests) == 12
    assert (await ask(client, "picky")).model == "picky"  # the circuit never opened


@pytest.mark.parametrize(("status", "error"), [(404, openai.NotFoundError), (422, openai.UnprocessableEntityError)])
async def test_other_refusals_keep_their_status(
    client: AsyncOpenAI, upstream: ScriptedUpstream, status: int, error: type[openai.APIStatusError]
) -> None:
    upstream.lane("picky").queue(failing(status, "not like this"))

    with pytest.raises(error, match="not like this"):
        await ask(client, "picky")


async def test_rate_limit_everywhere_is_a_rate_limit_error_with_the_smallest_retry_after(
    client: AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.lane("limited").default = failing(429, "slow down", retry_after="30")
    upstream.lane("limited-twin").default = failing(429, "slow down", retry_after="20")

    with pytest.raises(openai.RateLimitError) as refused:
        await ask(client, "limited")

    assert "slow down" in refused.value.message
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 20


async def test_failing_provider_is_a_502_without_its_secrets(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    upstream.lane("broken").default = failing(500, "at 10.1.2.3 with upstream-secret")

    with pytest.raises(openai.InternalServerError) as refused:
        await ask(client, "broken")

    assert refused.value.status_code == 502
    assert refused.value.code == "upstream_error"
    assert "upstream-secret" not in refused.value.message


async def test_unreachable_provider_is_a_502_without_its_address(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as refused:
        await ask(client, "nobody")

    assert refused.value.status_code == 502
    assert "127.0.0.1" not in refused.value.message


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_provider_key_never_reads_as_the_clients(
    client: AsyncOpenAI, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.lane("locked").default = failing(status, "Incorrect API key provided: upstream-secret")

    with pytest.raises(openai.InternalServerError) as refused:
        await ask(client, "locked")

    assert refused.value.status_code in {502, 503}  # 503: still cooling down after the parameter before
    assert "Incorrect API key" not in refused.value.message


async def test_open_circuit_is_a_503_that_says_when_to_come_back(
    client: AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.lane("opens").default = failing(500)
    for _ in range(3):
        with pytest.raises(openai.InternalServerError):
            await ask(client, "opens")
    called = len(upstream.lane("opens").requests)

    with pytest.raises(openai.InternalServerError) as refused:
        await ask(client, "opens")

    assert refused.value.status_code == 503
    assert refused.value.code == "no_available_instance"
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 60
    assert len(upstream.lane("opens").requests) == called


async def test_deadline_of_the_request_is_a_504(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    upstream.lane("hangs").default = ending(Ending.HANG)

    began_s = time.monotonic()
    with pytest.raises(openai.InternalServerError) as refused:
        await ask(client, "hangs", {"x-request-timeout-ms": "400"})

    assert refused.value.status_code == 504
    assert refused.value.code == "upstream_timeout"
    assert 0.35 <= time.monotonic() - began_s < 2.0


async def test_client_that_times_out_frees_the_upstream(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    lane = upstream.lane("hangs-too")
    lane.default = ending(Ending.HANG)

    async with gateway.client(timeout_s=0.3) as client:
        with pytest.raises(openai.APITimeoutError):
            await ask(client, "hangs-too")

    await eventually(lambda: lane.requests[0].client_left, within_s=1, what="the upstream call is closed")


async def test_slow_answer_within_the_clients_patience_arrives(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    upstream.lane("patient").default = Behaviour(delay_s=0.5)

    assert (await ask(client, "patient")).model == "patient"

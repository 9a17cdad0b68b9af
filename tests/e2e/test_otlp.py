"""Traces and metrics of real requests, as a collector receives them."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.otlp_receiver import Collector, SeenSpan, running_collector
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER, CLIENT = 2, 3
WITHIN_S = 15
PROMPT = "my diagnosis"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


def refusing(**error: str) -> Behaviour:
    body = json.dumps({"error": error}).encode()
    return Behaviour(status=400, headers=(("content-type", "application/json"),), body=body)


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    upstream: ScriptedUpstream, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    upstream.lane("first").default = failing(500)
    upstream.lane("broken").default = ending(Ending.RST, 2)
    url = upstream.base_url
    upstream.lane("quoting").default = refusing(code=f"not allowed: {PROMPT}", message=f"refused: {PROMPT}")
    models = [instance("good", url), instance("broken", url), instance("quoting", url)]
    models += [instance("pair", url, "first", priority=100), instance("pair", url, "second")]
    document = configuration(models, observability={"otlp_endpoint": f"{collector.endpoint}/"})
    with pytest.MonkeyPatch.context() as patched:
        soon(patched)
        async with running_gateway(document, tmp_path_factory.mktemp("otlp")) as running:
            yield running


async def traced(collector: Collector, request_id: str, spans: int) -> list[SeenSpan]:
    """The request's span and then its attempts', in their order."""
    what = f"{spans} spans of {request_id}"
    await eventually(lambda: len(collector.of_request(request_id)) == spans, within_s=WITHIN_S, what=what)
    own, *attempts = collector.of_request(request_id)
    return [own, *sorted(attempts, key=lambda span: span.attributes["moongate.attempt"])]


async def test_request_is_a_server_span_with_a_client_span_for_its_attempt(
    gateway: Gateway, collector: Collector
) -> None:
    reply = await gateway.chat("good")

    request_id = reply.headers["x-request-id"]
    own, attempt = await traced(collector, request_id, 2)
    assert (own.name, own.kind, own.is_error) == ("POST /v1/chat/completions", SERVER, False)
    assert own.attributes["http.response.status_code"] == 200
    assert own.attributes["http.route"] == "/v1/chat/completions"
    assert own.attributes["http.response.body.size"] == len(reply.body)
    assert (attempt.name, attempt.kind, attempt.is_error) == ("chat good", CLIENT, False)
    assert attempt.attributes["gen_ai.operation.name"] == "chat"
    assert attempt.attributes["gen_ai.provider.name"] == "custom"
    assert attempt.attributes["gen_ai.request.model"] == "good"
    used = [attempt.attributes[f"gen_ai.usage.{name}"] for name in ("input_tokens", "output_tokens")]
    assert used == [11, 4]
    assert attempt.attributes["gen_ai.usage.cache_read.input_tokens"] == 3
    assert own.began_ns <= attempt.began_ns < attempt.ended_ns <= own.ended_ns


async def test_trace_that_begins_here_has_the_id_of_its_request(gateway: Gateway, collector: Collector) -> None:
    request_id = (await gateway.chat("good")).headers["x-request-id"]

    own, attempt = await traced(collector, request_id, 2)

    assert own.trace_id == attempt.trace_id == request_id.replace("-", "")
    assert (own.parent_id, attempt.parent_id) == ("", own.span_id)


async def test_trace_of_the_client_is_continued_and_not_told_to_the_provider(
    gateway: Gateway, collector: Collector, upstream: ScriptedUpstream
) -> None:
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    reply = await gateway.chat("good", headers={"traceparent": f"00-{trace_id}-{span_id}-01"})

    own, _ = await traced(collector, reply.headers["x-request-id"], 2)
    assert (own.trace_id, own.parent_id) == (trace_id, span_id)
    assert "traceparent" not in upstream.lane("good").requests[-1].headers


async def test_trace_that_the_client_does_not_sample_is_not_sent(gateway: Gateway, collector: Collector) -> None:
    unsampled = await gateway.chat("good", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"})
    malformed = await gateway.chat("good", headers={"traceparent": f"00-{'0' * 32}-{'b' * 16}-00"})

    await traced(collector, malformed.headers["x-request-id"], 2)

    assert collector.of_request(unsampled.headers["x-request-id"]) == []


async def test_failed_attempt_is_an_error_below_a_request_that_is_none(gateway: Gateway, collector: Collector) -> None:
    reply = await gateway.chat("pair")

    own, failed, served = await traced(collector, reply.headers["x-request-id"], 3)
    assert (own.is_error, failed.is_error, served.is_error) == (False, True, False)
    assert failed.attributes["error.type"] == "server_error"
    assert failed.attributes["http.response.status_code"] == 500
    assert [span.attributes["moongate.instance"] for span in (failed, served)] == ["first", "second"]


async def test_broken_stream_is_an_error_of_the_request_too(gateway: Gateway, collector: Collector) -> None:
    reply = await gateway.chat("broken", stream=True)

    own, attempt = await traced(collector, reply.headers["x-request-id"], 2)
    assert (own.attributes["http.response.status_code"], own.attributes["error.type"]) == (200, "stream_broken")
    assert (own.is_error, attempt.is_error) == (True, True)
    assert attempt.attributes["gen_ai.response.time_to_first_chunk"] > 0


async def test_refusal_is_a_span_without_attempts(gateway: Gateway, collector: Collector) -> None:
    reply = await gateway.chat("nobody-has-this")

    (own,) = await traced(collector, reply.headers["x-request-id"], 1)
    assert (own.attributes["moongate.error_code"], own.is_error) == ("model_not_found", False)


async def test_prompt_that_a_provider_quotes_is_told_to_its_client_alone(
    gateway: Gateway, collector: Collector
) -> None:
    reply = await gateway.chat("quoting")

    request_id = reply.headers["x-request-id"]
    own, _ = await traced(collector, request_id, 2)
    error = reply.json()["error"]
    assert (error["code"], error["message"]) == (f"not allowed: {PROMPT}", f"refused: {PROMPT}")
    assert own.attributes["moongate.error_code"] == "invalid_request"
    decision = await raw_http.exchange(gateway.port, gateway.get(f"/admin/v1/decisions/{request_id}"))
    (attempt,) = decision.json()["attempts"]
    assert (attempt["status"], attempt["message"]) == (400, "the provider answered 400 (request_refused)")
    await eventually(lambda: request_id in gateway.log.read_text(), within_s=WITHIN_S, what="its line in the log")
    for told in (gateway.log.read_bytes(), bytes(collector.raw), decision.body):
        assert PROMPT.encode() not in told


async def test_metrics_count_requests_attempts_tokens_and_first_tokens(gateway: Gateway, collector: Collector) -> None:
    streams = "gen_ai.server.time_to_first_token"
    before = collector.count(streams, gen_ai__request__model="good")

    await gateway.chat("good", stream=True)
    await gateway.chat("pair")

    async def has(metric: str, **attributes: object) -> None:
        what = f"{metric} {attributes}"
        await eventually(lambda: collector.count(metric, **attributes) > 0, within_s=WITHIN_S, what=what)

    what = f"one more of {streams}"
    await eventually(
        lambda: collector.count(streams, gen_ai__request__model="good") == before + 1, within_s=WITHIN_S, what=what
    )
    await has("gen_ai.client.operation.duration", gen_ai__request__model="pair", error__type="server_error")
    await has("gen_ai.client.token.usage", gen_ai__request__model="good", gen_ai__token__type="output")
    await has("gen_ai.server.request.duration", gen_ai__request__model="pair", gen_ai__operation__name="chat")
    await has("http.server.request.duration", http__route="/v1/chat/completions", http__response__status_code=200)


async def test_gateway_names_itself_and_its_process(collector: Collector) -> None:
    assert {resource["service.name"] for resource in collector.resources} == {"moongate"}
    assert len({resource["service.instance.id"] for resource in collector.resources}) == 1


async def test_collector_that_refuses_costs_one_line_and_no_request(
    upstream: ScriptedUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch)
    with running_collector() as collector:
        collector.status = 400
        document = configuration(
            [instance("good", upstream.base_url)], observability={"otlp_endpoint": collector.endpoint}
        )
        async with running_gateway(document, tmp_path) as gateway:
            replies = [await gateway.chat("good") for _ in range(5)]
            await eventually(lambda: collector.refused > 3, within_s=WITHIN_S, what="several refusals")
            collector.status = 200
            again = "the collector takes spans again"
            await gateway.chat("good")
            await eventually(lambda: again in gateway.log.read_text(), within_s=WITHIN_S, what=again)
        lines = [json.loads(line)["message"] for line in gateway.log.read_text().splitlines() if line.startswith("{")]

    assert [reply.status for reply in replies] == [200] * 5
    assert lines.count("the collector does not take spans: they are dropped until it does") == 1
    assert any(line.startswith(again) and not line.endswith("; 0 were dropped") for line in lines)


async def test_collector_that_is_away_keeps_no_gateway_from_ending(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    document = configuration(
        [instance("good", upstream.base_url)], observability={"otlp_endpoint": "http://127.0.0.1:1"}
    )
    async with running_gateway(document, tmp_path) as gateway:
        request = gateway.post("/v1/chat/completions", raw_http.chat("good"))
        assert (await raw_http.exchange(gateway.port, request)).status == 200

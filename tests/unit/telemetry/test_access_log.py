from typing import Any

import pytest

from adapters.outbound.telemetry.access_log import AccessLog
from application.answered import Answered
from domain.chat import Usage
from domain.exchanged_bodies import KEPT_BYTES, ExchangedBodies
from domain.identifiers import ModelName
from domain.limits.admission import Standing
from domain.limits.decision import Decision
from domain.limits.limit import Algorithm, Limit, LimitKind
from domain.redaction import Redactor
from domain.routing.decision import DecisionTrace
from tests.unit.telemetry.support import REQUEST_ID, SECRET, answered, attempt, read_log, trace

REDACTOR = Redactor([SECRET])
ALWAYS = {"time", "level", "logger"}


def told(one: Answered, story: DecisionTrace | None = None, level: str = "info") -> list[dict[str, Any]]:
    with read_log(level) as log:
        AccessLog(REDACTOR).ended(one, story)
        return log.lines


def line(one: Answered, story: DecisionTrace | None = None) -> dict[str, Any]:
    (only,) = told(one, story)
    return {name: value for name, value in only.items() if name not in ALWAYS}


def test_success_is_one_line_with_the_whole_story() -> None:
    assert line(answered(), trace()) == {
        "message": "POST /v1/chat/completions 200",
        "request_id": REQUEST_ID,
        "method": "POST",
        "rule": "/v1/chat/completions",
        "status": 200,
        "duration_ms": 12.345,
        "bytes": 812,
        "caller": "key:key-1",
        "account": "team:search",
        "model": "gpt-4",
        "instance": "gpt4-eu",
        "provider": "openai",
        "attempts": [{"instance": "gpt4-eu", "outcome": "success", "duration_ms": 11.0}],
        "stream": False,
        "tokens": {"input": 10, "output": 20},
        "cost_usd": "0.00012",
        "outcome": "success",
    }


def test_attempts_fallbacks_and_first_token_are_told() -> None:
    failed = attempt("dead", outcome="server_error", status=500)
    served = attempt("alive", started_us=1_020_000, first_content_us=5_000)
    story = trace(failed, served, models_visited=[ModelName("gpt-4"), ModelName("small")], stream=True)
    story.usage, story.degraded, story.cache = Usage(10, 20, 4, estimated=True), ("routing",), "miss"

    found = line(answered(client_request_id="mine", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"), story)

    assert found["attempts"][0] == {"instance": "dead", "outcome": "server_error", "status": 500, "duration_ms": 11.0}
    assert (found["instance"], found["fallbacks"], found["ttft_ms"]) == ("alive", "gpt-4>small", 26.0)
    assert found["tokens"] == {"input": 10, "output": 20, "cached_input": 4, "estimated": True}
    assert (found["degraded"], found["cache"], found["stream"]) == (["routing"], "miss", True)
    assert (found["client_request_id"], found["trace_id"]) == ("mine", "a" * 32)


def test_limits_that_refused_are_named() -> None:
    def standing(name: str, *, allowed: bool) -> Standing:
        limit = Limit(name, LimitKind.REQUESTS, 1, Algorithm.SLIDING_WINDOW)
        return Standing(limit, Decision(allowed, 0, 1, 1))

    story = trace(outcome="RateLimited", limits=(standing("key", allowed=True), standing("team", allowed=False)))
    found = line(answered(status=429, error_code="rate_limit_exceeded"), story)

    assert (found["limits_refused"], found["error"]) == (["team"], "rate_limit_exceeded")


def test_providers_own_word_for_an_error_loses_secrets_and_is_cut() -> None:
    found = line(answered(status=400, error_code=f"{SECRET}\n" + "x" * 500), trace())

    assert found["error"].startswith("[redacted]?xxx")
    assert len(found["error"]) < 110


def test_path_without_a_rule_is_cleaned_and_cut() -> None:
    path = f"/{SECRET}/\n\x1b[31m\u2028" + "x" * 20_000

    found = line(Answered(REQUEST_ID, "POST\n" + "Y" * 99, path, status=404, is_whole=True))

    assert "rule" not in found
    assert found["path"].startswith("/[redacted]/??[31m?xxx")
    assert len(found["path"]) == 200
    assert found["method"] == "POST?" + "Y" * 11


@pytest.mark.parametrize("sent", ["authorization", "api-key", "bearer", '"api-key', "authorization:", "api-key\\"])
def test_what_clients_send_takes_no_other_field_along(sent: str) -> None:
    one = Answered(REQUEST_ID, "GET", f"/{sent}", status=404, is_whole=True, client_request_id=sent, error_code=sent)

    found = line(one)

    assert (found["client_request_id"], found["method"], found["path"]) == (sent, "GET", f"/{sent}")
    assert (found["status"], found["error"]) == (404, sent)


def test_secret_that_the_cut_would_halve_is_found_before() -> None:
    found = line(Answered(REQUEST_ID, "GET", "/" + "x" * 195 + SECRET, status=404, is_whole=True))

    assert SECRET[:4] not in found["path"]


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (404, "info"), (500, "warning"), (None, "info")])
def test_level_is_a_warning_where_the_server_is_to_blame(status: int | None, level: str) -> None:
    (only,) = told(answered(status=status, is_whole=status is not None))

    assert (only["level"], only.get("client_gone")) == (level, None if status else True)


@pytest.mark.parametrize("rule", ["/health", "/ready", "/metrics"])
def test_probes_are_told_at_debug_level_only(rule: str) -> None:
    assert told(answered(rule=rule)) == []
    assert len(told(answered(rule=rule), level="debug")) == 1
    assert len(told(answered(rule=rule, status=503))) == 1


def test_nothing_is_told_below_the_logs_level() -> None:
    assert told(answered(), trace(), level="warning") == []


def test_broken_stream_has_the_code_that_its_last_event_had() -> None:
    assert line(answered(), trace(outcome="stream_broken"))["error"] == "upstream_error"


def test_text_is_one_line_for_people() -> None:
    failed = attempt("dead", outcome="server_error", status=500)
    with read_log(style="text") as log:
        AccessLog(REDACTOR).ended(answered(is_whole=False, error_code="upstream_error"), trace(failed, attempt()))

    (only,) = log.text.splitlines()
    assert only.endswith(
        "moongate.access: POST /v1/chat/completions 200 12.3ms 812B key:key-1 gpt-4>gpt4-eu 2 attempts "
        f"10+20 tokens $0.00012 upstream_error client gone {REQUEST_ID}"
    )


def test_bodies_are_cut_and_lose_secrets_before_that_and_are_told_at_any_level() -> None:
    long = "x" * (KEPT_BYTES - 5)
    bodies = ExchangedBodies(f"{long}{SECRET}".encode())
    for part in (b"answer ", SECRET.encode(), b"\xff" * KEPT_BYTES * 3):
        bodies.answer(part)

    (only,) = told(answered(bodies=bodies), trace(), level="error")

    assert only["logger"] == "moongate.bodies"
    assert only["request_body"] == f"{long}[reda"
    assert only["response_body"].startswith("answer [redacted]\ufffd")
    assert len(only["response_body"]) == KEPT_BYTES

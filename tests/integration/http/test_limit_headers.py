"""How a caller's limits stand, on the wire."""

from dataclasses import replace

import pytest

from adapters.inbound.http.limit_headers import go_duration, limit_headers
from application.errors import RateLimited
from domain.limits.admission import Standing
from domain.limits.decision import Decision
from domain.limits.limit import Algorithm, Limit, LimitKind
from tests.integration.http.stubs import BEARER, StubGateway, http_app, trace

RPM = Standing(Limit("key:K:rpm", LimitKind.REQUESTS, 60), Decision(True, 12, 0, 7_200_000))
TIGHT = Standing(Limit("team:T:rpm", LimitKind.REQUESTS, 600), Decision(True, 3, 0, 500_000))
TPM = Standing(Limit("key:K:tpm", LimitKind.TOKENS, 90_000), Decision(True, 88_000, 0, 61_000_000))
PARALLEL = Standing(Limit("key:K:parallel", LimitKind.PARALLEL, 5, Algorithm.LEASES), Decision(True, 1, 0, 1))


@pytest.mark.parametrize(
    ("span_us", "said"),
    [
        (0, "0s"),
        (1, "1ms"),
        (12_000, "12ms"),
        (999_001, "1s"),
        (1_500_000, "1.5s"),
        (59_999_999, "1m0s"),
        (360_000_000, "6m0s"),
        (3_600_250_000, "1h0m0.25s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(span_us: int, said: str) -> None:
    assert said == go_duration(span_us)


def test_the_tightest_limits_of_requests_and_of_tokens_are_told() -> None:
    assert limit_headers((RPM, TIGHT, TPM, PARALLEL)) == [
        ("x-ratelimit-limit-requests", "600"),
        ("x-ratelimit-remaining-requests", "3"),
        ("x-ratelimit-reset-requests", "500ms"),
        ("x-ratelimit-limit-tokens", "90000"),
        ("x-ratelimit-remaining-tokens", "88000"),
        ("x-ratelimit-reset-tokens", "1m1s"),
        ("ratelimit-policy", '"rpm";q=600;w=60, "tpm";q=90000;qu="tokens";w=60'),
        ("ratelimit", '"rpm";r=3;t=1, "tpm";r=88000;t=61'),
    ]


@pytest.mark.parametrize("standings", [(), (PARALLEL,)])
def test_nothing_is_told_where_nothing_is_counted_by_the_minute(standings: tuple[Standing, ...]) -> None:
    assert limit_headers(standings) == []


async def test_an_answer_tells_its_caller_how_it_stands() -> None:
    story = replace(trace(), limits=(RPM,), budgets=("team:T=83%",))

    answer = (
        await http_app(StubGateway(story=story))
        .test_client()
        .post(
            "/v1/chat/completions", headers=BEARER, json={"model": "m", "messages": [{"role": "user", "content": "x"}]}
        )
    )

    assert answer.headers["x-ratelimit-remaining-requests"] == "12"
    assert answer.headers["ratelimit"] == '"rpm";r=12;t=8'
    assert answer.headers["x-moongate-budget-alert"] == "team:T=83%"


async def test_lists_of_models_are_limited_like_everything_else() -> None:
    answer = await http_app(StubGateway(standings=(RPM,))).test_client().get("/v1/models", headers=BEARER)
    refusal = RateLimited("over your limit", retry_after_us=1_500_000)
    refusal.limits = (replace(RPM, decision=Decision(False, 0, 1_500_000, 1_500_000)),)
    refused = await http_app(StubGateway(limit_error=refusal)).test_client().get("/v1/models", headers=BEARER)

    assert (answer.status_code, answer.headers["x-ratelimit-remaining-requests"]) == (200, "12")
    assert (refused.status_code, refused.headers["retry-after"], refused.headers["retry-after-ms"]) == (
        429,
        "2",
        "1500",
    )
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"

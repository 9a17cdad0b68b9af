"""Instances in the admin API: what is shown, what can be asked for, and what is refused."""

import json

import pytest

from application.errors import StateUnavailable
from domain.audit import Deed
from domain.failure import Cooldown
from domain.health_report import HealthReport
from domain.identifiers import InstanceId, ModelName
from domain.latency import LatencyKind, Percentiles
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import CircuitReport, InstanceReport
from tests.integration.http.stubs import BEARER, INSTANCE, StubGateway, http_app

INSTANCES = "/admin/v1/instances"
HALF_PAST_US = 1_700_000_000_500_000
HALF_PAST = "2023-11-14T22:13:20.500Z"
TROUBLED = InstanceReport(
    circuit=CircuitReport(CircuitState.OPEN, HALF_PAST_US, HALF_PAST_US + 5_000_000, "failure_rate"),
    in_flight=3,
    drained=True,
    cooldown=Cooldown.RATE_LIMITED,
    cooldown_until_us=HALF_PAST_US,
    latency={LatencyKind.WHOLE: Percentiles(100_000, 5_250_000, 9_000_500, 7)},
)

FAILING = HealthReport(HALF_PAST_US, reachable=False, latency_us=12_500, status=502, message="bad gateway")
WELL = HealthReport(HALF_PAST_US, reachable=True, latency_us=12_500, status=None)


def body_of(document: dict[str, object] | None) -> bytes:
    return b"" if document is None else json.dumps(document).encode()


async def test_instances_are_shown_with_circuit_load_and_latency() -> None:
    gateway = StubGateway(report=TROUBLED, check=FAILING)

    answer = await http_app(gateway).test_client().get(INSTANCES, headers=BEARER)

    assert answer.status_code == 200
    assert await answer.get_json() == {
        "data": [
            {
                "id": "gpt4-eu",
                "model_name": "gpt-4",
                "provider": "openai",
                "enabled": True,
                "circuit": {
                    "state": "open",
                    "opened_at": HALF_PAST,
                    "next_probe_at": "2023-11-14T22:13:25.500Z",
                    "reason": "failure_rate",
                    "forced": False,
                },
                "in_flight": 3,
                "health_score": 50,
                "latency": {"p50_ms": 100.0, "p95_ms": 5250.0, "p99_ms": 9000.5, "measured": "whole"},
                "drained": True,
                "cooldown": {"reason": "rate_limited", "until": HALF_PAST},
                "last_check": {
                    "at": HALF_PAST,
                    "ok": False,
                    "status": 502,
                    "latency_ms": 12.5,
                    "message": "bad gateway",
                },
            }
        ],
        "next": None,
    }


async def test_instance_that_nothing_is_known_of_shows_nulls_and_full_health() -> None:
    (shown,) = (await (await http_app().test_client().get(INSTANCES, headers=BEARER)).get_json())["data"]

    assert shown["circuit"] == {
        "state": "closed",
        "opened_at": None,
        "next_probe_at": None,
        "reason": None,
        "forced": False,
    }
    assert shown["latency"] == {"p50_ms": None, "p95_ms": None, "p99_ms": None, "measured": None}
    assert (shown["health_score"], shown["cooldown"], shown["drained"]) == (100, None, False)
    assert shown["last_check"] is None


async def test_latency_is_that_of_first_contents_where_only_streams_ran() -> None:
    first = {LatencyKind.FIRST_CONTENT: Percentiles(1_000, 2_000, 3_000, 1)}
    app = http_app(StubGateway(report=InstanceReport(latency=first)))

    (shown,) = (await (await app.test_client().get(INSTANCES, headers=BEARER)).get_json())["data"]

    assert shown["latency"] == {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "measured": "first_content"}


@pytest.mark.parametrize(
    ("verb", "document", "wish"),
    [
        ("drain", None, True),
        ("drain", {}, True),
        ("undrain", None, False),
        ("circuit", {"state": "open"}, CircuitState.OPEN),
        ("circuit", {"state": "closed"}, CircuitState.CLOSED),
        ("circuit", {"state": "auto"}, None),
    ],
)
async def test_operators_wish_reaches_the_instance_and_its_state_comes_back(
    verb: str, document: dict[str, object] | None, wish: object
) -> None:
    gateway = StubGateway(report=TROUBLED)

    answer = (
        await http_app(gateway)
        .test_client()
        .post(f"{INSTANCES}/gpt4-eu/{verb}", data=body_of(document), headers=BEARER)
    )

    assert answer.status_code == 200
    assert (await answer.get_json())["in_flight"] == 3
    assert gateway.controlled == [("gpt4-eu", wish)]


async def test_check_answers_with_what_came_of_it() -> None:
    gateway = StubGateway(check=WELL)

    answer = await http_app(gateway).test_client().post(f"{INSTANCES}/gpt4-eu/check", headers=BEARER)

    assert answer.status_code == 200
    assert await answer.get_json() == {
        "at": HALF_PAST,
        "ok": True,
        "status": None,
        "latency_ms": 12.5,
        "message": None,
    }
    assert gateway.controlled == [("gpt4-eu", "check")]


async def test_instance_id_may_hold_slashes() -> None:
    slashed = type(INSTANCE)(InstanceId("eu/gpt/drain"), ModelName("m"), "openai", "u")
    gateway = StubGateway(instance=slashed)

    answer = await http_app(gateway).test_client().post(f"{INSTANCES}/eu/gpt/drain/undrain", headers=BEARER)

    assert answer.status_code == 200
    assert gateway.controlled == [("eu/gpt/drain", False)]


@pytest.mark.parametrize(
    ("verb", "document", "param"),
    [
        ("drain", {"drained": True}, "drained"),
        ("undrain", {"state": "auto"}, "state"),
        ("circuit", None, "state"),
        ("circuit", {}, "state"),
        ("circuit", {"state": "half_open"}, "state"),
        ("circuit", {"state": None}, "state"),
        ("circuit", {"state": ["open"]}, "state"),
        ("circuit", {"state": "open", "for": "5m"}, "for"),
    ],
)
async def test_what_no_operator_can_mean_is_refused_by_name(
    verb: str, document: dict[str, object] | None, param: str
) -> None:
    gateway = StubGateway()

    answer = (
        await http_app(gateway)
        .test_client()
        .post(f"{INSTANCES}/gpt4-eu/{verb}", data=body_of(document), headers=BEARER)
    )

    assert answer.status_code == 400
    assert (await answer.get_json())["error"]["param"] == param
    assert gateway.controlled == []


@pytest.mark.parametrize(
    ("verb", "document"), [("drain", None), ("undrain", None), ("check", None), ("circuit", {"state": "open"})]
)
async def test_unknown_instance_is_404_in_the_shape_of_all_errors(
    verb: str, document: dict[str, object] | None
) -> None:
    answer = await http_app().test_client().post(f"{INSTANCES}/nope/{verb}", data=body_of(document), headers=BEARER)

    assert answer.status_code == 404
    assert (await answer.get_json())["error"]["code"] == "instance_not_found"


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("GET", "", None),
        ("POST", "/gpt4-eu/drain", None),
        ("POST", "/gpt4-eu/undrain", None),
        ("POST", "/gpt4-eu/check", None),
        ("POST", "/gpt4-eu/circuit", {"state": "open"}),
    ],
)
async def test_state_that_can_not_be_reached_is_503_in_the_shape_of_all_errors(
    method: str, path: str, document: dict[str, object] | None
) -> None:
    client = http_app(StubGateway(error=StateUnavailable("redis is unavailable"))).test_client()

    send = client.get if method == "GET" else client.post
    answer = await send(INSTANCES + path, data=body_of(document), headers=BEARER)

    assert answer.status_code == 503
    assert (await answer.get_json())["error"] == {
        "message": "redis is unavailable",
        "type": "server_error",
        "param": None,
        "code": "state_unavailable",
    }
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("path", "body", "deed"),
    [
        ("drain", None, Deed("instance.drain", f"instance:{INSTANCE.id}")),
        ("check", None, Deed("instance.check", f"instance:{INSTANCE.id}")),
        ("undrain", None, Deed("instance.undrain", f"instance:{INSTANCE.id}")),
        ("circuit", {"state": "open"}, Deed("instance.circuit", f"instance:{INSTANCE.id}", '{"state": "open"}')),
    ],
)
async def test_what_is_done_to_an_instance_is_noted_with_who_did_it(
    path: str, body: dict[str, object] | None, deed: Deed
) -> None:
    gateway = StubGateway()

    answer = (
        await http_app(gateway)
        .test_client()
        .post(f"{INSTANCES}/{INSTANCE.id}/{path}", headers=BEARER, data=body_of(body))
    )

    assert answer.status_code == 200
    assert gateway.deeds == [("master", deed)]


async def test_what_was_not_done_is_not_noted() -> None:
    gateway = StubGateway()

    answer = await http_app(gateway).test_client().post("/admin/v1/instances/nope/drain", headers=BEARER)

    assert (answer.status_code, gateway.deeds) == (404, [])

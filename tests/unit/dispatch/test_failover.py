import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelNotAllowed,
    ModelNotFound,
    NoInstanceAvailable,
    RequestExceedsLimit,
    UnsupportedOperation,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamRefused,
)
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, CatalogError, InstanceLimits, Route, RouteModel, RouterPolicy
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import ModelName, RequestId, RouteSlug
from domain.resilience.retry_budget import RetryBudgetConfig
from domain.routing.strategy import StrategyName
from tests.unit.dispatch.gateway import Gateway, member, models

GPT, SMALL, OTHER = ModelName("gpt"), ModelName("small"), ModelName("other")
DOWN = fails(FailureKind.SERVER_ERROR, status=500)


def test_audit_2_1_a_dead_instance_is_answered_for_by_its_sibling() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "dead", priority=2), member("gpt", "alive", priority=1))))
        gateway.upstream("dead").otherwise = fails(FailureKind.CONNECT)
        for _ in range(20):
            completed = await gateway.complete("gpt")
            assert completed.instance.id == "alive"
        first = gateway.decisions.kept(RequestId("request-1"))
        assert first is not None
        assert [attempt.outcome for attempt in first.attempts] == ["connect_error", "success"]
        # Its circuit opened after three failures in a row; then nobody asked it any more.
        assert len(gateway.upstream("dead").calls) == 3

    run_virtual(scenario())


def test_audit_2_1_the_example_flow_reaches_the_fallback_model() -> None:
    async def scenario() -> None:
        instances = models(
            member("gpt", "a", priority=100), member("gpt", "b", priority=50), member("small", "c", priority=1)
        )
        gateway = Gateway(Catalog(instances, fallbacks={GPT: (SMALL,)}))
        gateway.upstream("a").otherwise = gateway.upstream("b").otherwise = DOWN

        completed = await gateway.complete("gpt")

        attempts = [(attempt.instance_id, attempt.outcome) for attempt in completed.trace.attempts]
        assert attempts[:2] == [("a", "server_error"), ("b", "server_error")]
        assert attempts[-1] == ("c", "success")
        assert completed.trace.models_visited == ["gpt", "small"]

    run_virtual(scenario())


def test_audit_11_a_model_with_fifty_failing_instances_still_reaches_its_fallback() -> None:
    async def scenario() -> None:
        failing = [member("gpt", f"bad-{number}") for number in range(50)]
        gateway = Gateway(Catalog(models(*failing, member("small", "good")), fallbacks={GPT: (SMALL,)}))
        for instance in failing:
            gateway.upstream(instance.id).otherwise = DOWN
        for _ in range(30):
            completed = await gateway.complete("gpt", timeout_us=5 * SECOND_US)
            assert completed.instance.id == "good"
            assert len(completed.trace.attempts) <= 4

    run_virtual(scenario())


def test_fallbacks_go_breadth_first_and_visit_each_model_once() -> None:
    async def scenario() -> None:
        names = ["a", "b", "c", "d"]
        catalog = Catalog(
            models(*(member(name, f"{name}1") for name in names)),
            fallbacks={
                ModelName("a"): (ModelName("b"), ModelName("c")),
                ModelName("b"): (ModelName("d"), ModelName("c")),
            },
        )
        gateway = Gateway(catalog, RouterPolicy(instance_retry_attempts=0))
        for name in names:
            gateway.upstream(f"{name}1").otherwise = DOWN

        with pytest.raises(UpstreamFailed) as caught:
            await gateway.complete("a")

        assert caught.value.trace is not None
        assert caught.value.trace.models_visited == ["a", "b", "c", "d"]

    run_virtual(scenario())


def test_a_cycle_of_fallbacks_is_refused_and_named() -> None:
    instances = models(member("gpt", "a"), member("small", "b"))

    with pytest.raises(CatalogError, match="gpt > small > gpt"):
        Catalog(instances, fallbacks={GPT: (SMALL,), SMALL: (GPT,)})


def test_a_fallback_that_the_caller_may_not_use_is_skipped() -> None:
    async def scenario() -> None:
        catalog = Catalog(
            models(member("gpt", "a"), member("small", "b"), member("other", "c")), fallbacks={GPT: (SMALL, OTHER)}
        )
        gateway = Gateway(catalog)
        gateway.upstream("a").otherwise = DOWN
        caller = Caller(CallerKind.KEY, "k", models=frozenset({"gpt", "other"}))

        completed = await gateway.complete("gpt", caller=caller)

        assert completed.instance.id == "c"
        assert gateway.upstream("b").calls == []

    run_virtual(scenario())


def test_audit_2_2_a_route_tries_its_models_and_then_its_fallback_models() -> None:
    async def scenario() -> None:
        route = Route(
            RouteSlug("smart"),
            "Smart",
            StrategyName.PRIORITY,
            (RouteModel(GPT, priority=2), RouteModel(SMALL, priority=1)),
            (OTHER,),
        )
        catalog = Catalog(
            models(member("gpt", "a"), member("small", "b"), member("other", "c")), routes={route.slug: route}
        )
        gateway = Gateway(catalog)
        gateway.upstream("a").otherwise = gateway.upstream("b").otherwise = DOWN

        completed = await gateway.complete("smart")

        assert completed.trace.models_visited == ["gpt", "small", "other"]
        assert completed.trace.route == "smart"

    run_virtual(scenario())


def test_without_failover_there_is_exactly_one_attempt() -> None:
    async def scenario() -> None:
        catalog = Catalog(
            models(member("gpt", "a"), member("gpt", "b"), member("small", "c")), fallbacks={GPT: (SMALL,)}
        )
        gateway = Gateway(catalog, RouterPolicy(enable_failover=False))
        for name in "abc":
            gateway.upstream(name).otherwise = DOWN

        with pytest.raises(UpstreamFailed):
            await gateway.complete("gpt")

        assert sum(gateway.calls().values()) == 1

    run_virtual(scenario())


def test_a_refused_request_keeps_its_status_and_is_not_retried_and_leaves_the_circuit_alone() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"), member("gpt", "b")), fallbacks={}))
        gateway.upstream("a").otherwise = gateway.upstream("b").otherwise = fails(
            FailureKind.REQUEST_REFUSED, status=400
        )
        for _ in range(50):
            with pytest.raises(UpstreamRefused) as caught:
                await gateway.complete("gpt")
            assert caught.value.failure.status == 400
        assert sum(gateway.calls().values()) == 50
        assert gateway.events.events == []

    run_virtual(scenario())


def test_429_cools_the_instance_for_its_retry_after_and_goes_elsewhere() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a", priority=2), member("gpt", "b", priority=1))))
        limited = fails(FailureKind.RATE_LIMITED, status=429, retry_after_us=20 * SECOND_US)
        gateway.upstream("a").script.append(limited)

        assert (await gateway.complete("gpt")).instance.id == "b"
        await gateway.clock.sleep(19 * SECOND_US)
        assert (await gateway.complete("gpt")).instance.id == "b"
        await gateway.clock.sleep(2 * SECOND_US)
        assert (await gateway.complete("gpt")).instance.id == "a"
        assert gateway.events.events == []

    run_virtual(scenario())


def test_when_every_attempt_was_429_the_client_gets_the_smallest_retry_after() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"), member("gpt", "b"))))
        for name, wait_s in (("a", 30), ("b", 10)):
            gateway.upstream(name).otherwise = fails(
                FailureKind.RATE_LIMITED, status=429, retry_after_us=wait_s * SECOND_US
            )
        with pytest.raises(UpstreamRateLimited) as caught:
            await gateway.complete("gpt")
        assert caught.value.failure.retry_after_us == 10 * SECOND_US

        with pytest.raises(NoInstanceAvailable) as resting:
            await gateway.complete("gpt")
        assert resting.value.retry_after_us <= 10 * SECOND_US

    run_virtual(scenario())


def test_the_deadline_bounds_everything() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Catalog(models(member("gpt", "a"), member("gpt", "b"), member("small", "c")), fallbacks={GPT: (SMALL,)})
        )
        for name in "abc":
            gateway.upstream(name).otherwise = Act(hang=True)
        before = gateway.clock.monotonic_us()

        with pytest.raises(DeadlineExceeded):
            await gateway.complete("gpt", timeout_us=7 * SECOND_US)

        assert gateway.clock.monotonic_us() - before == pytest.approx(7 * SECOND_US, abs=100_000)

    run_virtual(scenario())


def test_each_attempt_gets_more_time_than_the_one_before() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*(member("gpt", name, timeout_us=10 * SECOND_US) for name in "abc"))))
        for name in "abc":
            gateway.upstream(name).otherwise = Act(hang=True)

        with pytest.raises(DeadlineExceeded) as caught:
            await gateway.complete("gpt")

        assert caught.value.trace is not None
        durations = [attempt.duration_us for attempt in caught.value.trace.attempts]
        assert durations == [10 * SECOND_US, 15 * SECOND_US, pytest.approx(22.5 * SECOND_US)]

    run_virtual(scenario())


def test_the_same_instance_is_tried_again_only_after_a_pause() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "only"))))
        gateway.upstream("only").script.extend([DOWN, DOWN])

        completed = await gateway.complete("gpt")

        starts = [attempt.started_us for attempt in completed.trace.attempts]
        assert len(starts) == 3
        assert starts[1] > starts[0]
        assert starts[2] > starts[1]

    run_virtual(scenario())


def test_an_outage_is_not_amplified_beyond_the_retry_budget() -> None:
    async def scenario() -> None:
        instances = [member("gpt", f"i{number}") for number in range(40)]
        gateway = Gateway(Catalog(models(*instances)), budget=RetryBudgetConfig(percent=20, min_per_second=3))
        for instance in instances:
            gateway.upstream(instance.id).otherwise = DOWN
        requests, span_s = 300, 10
        for _ in range(requests):
            with pytest.raises((UpstreamFailed, NoInstanceAvailable)):
                await gateway.complete("gpt")
            await gateway.clock.sleep(span_s * SECOND_US // requests)

        assert sum(gateway.calls().values()) <= requests * 1.2 + 3 * span_s + 30

    run_virtual(scenario())


def test_context_length_leads_to_the_fallback_for_it_and_to_no_other() -> None:
    async def scenario() -> None:
        catalog = Catalog(
            models(member("gpt", "a"), member("small", "b"), member("other", "c")),
            fallbacks={GPT: (SMALL,)},
            context_window_fallbacks={GPT: (OTHER,)},
        )
        gateway = Gateway(catalog)
        gateway.upstream("a").otherwise = fails(FailureKind.CONTEXT_LENGTH, status=400)

        completed = await gateway.complete("gpt")

        assert completed.instance.id == "c"
        assert gateway.calls() == {"a": 1, "c": 1}

    run_virtual(scenario())


def test_context_length_without_a_fallback_stays_the_providers_400() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"), member("small", "b")), fallbacks={GPT: (SMALL,)}))
        gateway.upstream("a").otherwise = fails(FailureKind.CONTEXT_LENGTH, status=400)

        with pytest.raises(UpstreamRefused):
            await gateway.complete("gpt")

        assert gateway.upstream("b").calls == []

    run_virtual(scenario())


def test_a_refused_credential_is_never_the_end_while_a_sibling_serves() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a", priority=2), member("gpt", "b", priority=1))))
        gateway.upstream("a").otherwise = fails(FailureKind.CREDENTIAL_REFUSED, status=401)
        for _ in range(10):
            assert (await gateway.complete("gpt")).instance.id == "b"
        assert len(gateway.upstream("a").calls) == 1

    run_virtual(scenario())


def test_a_lone_instance_with_a_refused_credential_is_asked_again_and_answers_502() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        gateway.upstream("a").script.extend([fails(FailureKind.CREDENTIAL_REFUSED, status=401)] * 2)
        for _ in range(2):
            with pytest.raises(UpstreamFailed):
                await gateway.complete("gpt")

        assert (await gateway.complete("gpt")).instance.id == "a"

    run_virtual(scenario())


def test_nothing_selectable_says_when_it_may_be_again() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        gateway.upstream("a").otherwise = DOWN
        with pytest.raises(UpstreamFailed):
            await gateway.complete("gpt")

        with pytest.raises(NoInstanceAvailable) as caught:
            await gateway.complete("gpt")

        assert 0 < caught.value.retry_after_us <= gateway.breaker.open_duration_us

    run_virtual(scenario())


def test_the_story_names_a_model_that_was_passed_over_without_an_attempt() -> None:
    async def scenario() -> None:
        instances = models(member("gpt", "a", enabled=False), member("small", "b"))
        gateway = Gateway(Catalog(instances, fallbacks={GPT: (SMALL,)}))

        completed = await gateway.complete("gpt")

        assert len(completed.trace.attempts) == 1
        assert completed.trace.models_visited == ["gpt", "small"]

    run_virtual(scenario())


def test_unknown_and_forbidden_models_are_refused_before_anything_is_tried() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        with pytest.raises(ModelNotFound):
            await gateway.complete("nope")
        with pytest.raises(ModelNotAllowed):
            await gateway.complete("gpt", caller=Caller(CallerKind.KEY, "k", models=frozenset()))
        assert gateway.calls() == {}

    run_virtual(scenario())


def test_what_no_provider_supports_names_the_provider() -> None:
    async def scenario() -> None:
        instance = member("gpt", "a", supports=frozenset({Endpoint.CHAT}))
        with pytest.raises(UnsupportedOperation, match="custom"):
            await Gateway(Catalog(models(instance))).complete("gpt", endpoint=Endpoint.EMBEDDINGS)

    run_virtual(scenario())


def test_tags_choose_instances_and_unknown_tags_are_an_error_of_the_request() -> None:
    async def scenario() -> None:
        gateway = Gateway(
            Catalog(models(member("gpt", "us", priority=2), member("gpt", "eu", tags=frozenset({"eu", "paid"}))))
        )
        assert (await gateway.complete("gpt", tags=frozenset({"eu"}))).instance.id == "eu"
        with pytest.raises(InvalidRequest, match="asia"):
            await gateway.complete("gpt", tags=frozenset({"asia"}))

    run_virtual(scenario())


def test_audit_4_3_instance_limits_are_enforced_when_instances_are_chosen() -> None:
    async def scenario() -> None:
        small = member("gpt", "small", priority=2, limits=InstanceLimits(requests_per_minute=5))
        gateway = Gateway(Catalog(models(small, member("gpt", "large", priority=1))))
        for _ in range(20):
            await gateway.complete("gpt")
        assert gateway.calls() == {"small": 5, "large": 15}

    run_virtual(scenario())


def test_a_request_that_can_never_fit_is_told_so() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a", limits=InstanceLimits(tokens_per_minute=100)))))
        with pytest.raises(RequestExceedsLimit):
            await gateway.complete("gpt", input_tokens=50, max_output_tokens=100)

    run_virtual(scenario())


def test_a_context_window_too_small_is_passed_over_only_while_another_fits() -> None:
    async def scenario() -> None:
        tight, wide = (
            member("gpt", "tight", priority=2, context_window=100),
            member("gpt", "wide", context_window=9_000),
        )
        both = Gateway(Catalog(models(tight, wide)))
        assert (await both.complete("gpt", input_tokens=500)).instance.id == "wide"
        alone = Gateway(Catalog(models(tight)))
        assert (await alone.complete("gpt", input_tokens=500)).instance.id == "tight"

    run_virtual(scenario())


def test_beyond_the_ejection_cap_open_instances_serve_as_the_last_resort() -> None:
    async def scenario() -> None:
        instances = (member("gpt", name, priority=ord(name)) for name in "abcd")
        gateway = Gateway(Catalog(models(*instances)), RouterPolicy(instance_retry_attempts=3))
        for name in "bcd":
            gateway.upstream(name).otherwise = DOWN
        for _ in range(10):
            assert (await gateway.complete("gpt")).instance.id == "a"
        healthy_calls = len(gateway.upstream("a").calls)
        assert healthy_calls == 10
        gateway.upstream("a").otherwise = DOWN
        gateway.upstream("d").otherwise = Act()

        served = [await _instance_or_none(gateway) for _ in range(5)]

        assert "d" in served

    run_virtual(scenario())


async def _instance_or_none(gateway: Gateway) -> str | None:
    try:
        return str((await gateway.complete("gpt")).instance.id)
    except (UpstreamFailed, NoInstanceAvailable):
        return None

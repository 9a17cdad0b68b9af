"""Money is held before each attempt, and settled after it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.billing.estimate import Terms
from application.errors import BudgetExceeded, GatewayError, NoInstanceAvailable, RateLimited
from domain.budget.terms import BudgetTerms
from domain.catalog import InstanceLimits, RouterPolicy
from domain.chat import Endpoint, Usage
from domain.events import BudgetReached
from domain.failure import Failure, FailureKind
from domain.identifiers import ModelName
from domain.limits.admission import CallerAdmissionRequest, CallerAnswer
from domain.limits.limit import Limit, LimitKind
from tests.unit.billing.tenant import KEY, MEMBER, TEAM, balance, gateway, ledgered, priced, script, tenant, told
from tests.unit.dispatch.gateway import MASTER, Gateway

ALL = (KEY, MEMBER, TEAM)
SLOW = Act(delay_us=1_000_000, usage=Usage(10, 20))
LOST = Act(failure=Failure(FailureKind.TIMEOUT, "no answer", ambiguous=True), chunks=0)


async def ask(one: Gateway, *budgets: BudgetTerms, **changes: Any) -> int:
    return int((await one.complete("gpt", caller=tenant(*budgets), **changes)).cost_nano)


def test_audit_behavioural_4_of_fifty_at_once_one_is_served_where_there_is_money_for_one() -> None:
    async def scenario() -> None:
        one = gateway()
        one.upstream("a").otherwise = SLOW

        ended = await asyncio.gather(
            *(ask(one, replace(KEY, amount_nano=59)) for _ in range(50)), return_exceptions=True
        )

        assert [answer for answer in ended if isinstance(answer, int)] == [30]
        assert sum(isinstance(answer, BudgetExceeded) for answer in ended) == 49
        assert one.calls() == {"a": 1}
        assert (await balance(one)).reserved_nano == 0

    run_virtual(scenario())


@pytest.mark.parametrize("tight", ALL)
def test_each_budget_can_refuse_and_then_none_of_the_others_holds_anything(tight: BudgetTerms) -> None:
    async def scenario() -> None:
        one = gateway()
        budgets = [replace(terms, amount_nano=29) if terms is tight else terms for terms in ALL]

        with pytest.raises(BudgetExceeded) as refused:
            await ask(one, *budgets)

        kind, _, owner = tight.owner.budget_id.partition(":")
        assert f"the budget of the {kind} {owner} does not allow it" in refused.value.message
        assert "of 0.000000029 dollars for" in refused.value.message
        assert "resets at" in refused.value.message
        assert [(await balance(one, terms)).reserved_nano for terms in ALL] == [0, 0, 0]
        assert one.calls() == {}
        assert one.records() == []

    run_virtual(scenario())


def test_audit_7_1_the_worst_case_is_held_before_a_call_and_what_it_cost_is_settled_after_it() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", SLOW)
        running = asyncio.create_task(ask(one, *ALL))
        await one.clock.sleep(500_000)

        assert [(await balance(one, terms)).reserved_nano for terms in ALL] == [30, 30, 30]
        one.upstream("a").otherwise = Act(usage=Usage(10, 3))
        await running
        assert await ask(one, *ALL) == 13

        for terms in ALL:
            assert (await balance(one, terms)).settled_nano == 43
            assert (await balance(one, terms)).reserved_nano == 0

    run_virtual(scenario())


def test_an_attempt_that_failed_gives_back_and_the_next_holds_anew() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", priority=2, max_output_tokens=20), priced("gpt", "b", max_output_tokens=20))
        script(one, "a", fails(FailureKind.SERVER_ERROR, status=500))

        await ask(one, replace(KEY, amount_nano=30))

        assert (await balance(one)).settled_nano == 15
        assert (await balance(one)).reserved_nano == 0

    run_virtual(scenario())


def test_an_attempt_that_nobody_heard_of_keeps_what_it_held_and_the_request_ends_where_no_more_fits() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", priority=2, max_output_tokens=20), priced("gpt", "b", max_output_tokens=20))
        script(one, "a", LOST)

        with pytest.raises(BudgetExceeded):
            await ask(one, replace(KEY, amount_nano=59))

        assert told(one) == [(1, "unknown", 30)]
        assert one.calls() == {"a": 1}
        assert (await balance(one)).settled_nano == 30
        assert (await balance(one)).reserved_nano == 0
        assert one.leases.held == 0

    run_virtual(scenario())


@pytest.mark.parametrize("priorities", [(1, 2), (2, 1)])
def test_the_dearest_instance_of_a_model_is_reserved_for(priorities: tuple[int, int]) -> None:
    async def scenario() -> None:
        cheap = priced("gpt", "a", max_output_tokens=20, priority=priorities[0])
        dear = priced("gpt", "b", max_output_tokens=90, priority=priorities[1])

        for instances in ((cheap, dear), (dear, cheap)):
            with pytest.raises(BudgetExceeded):
                await ask(gateway(*instances), replace(KEY, amount_nano=99))
            assert await ask(gateway(*instances), KEY) == 15

    run_virtual(scenario())


def test_instances_that_can_not_serve_the_request_are_not_reserved_for() -> None:
    async def scenario() -> None:
        other = {"max_output_tokens": 90}
        one = gateway(
            priced("gpt", "a", max_output_tokens=20, tags=frozenset({"eu"})),
            priced("gpt", "untagged", **other),
            priced("gpt", "disabled", enabled=False, tags=frozenset({"eu"}), **other),
            priced("gpt", "embeds", supports=frozenset({Endpoint.EMBEDDINGS}), tags=frozenset({"eu"}), **other),
        )

        assert await ask(one, replace(KEY, amount_nano=30), tags=frozenset({"eu"})) == 15

    run_virtual(scenario())


def test_a_fallback_is_reserved_for_from_the_beginning() -> None:
    async def scenario() -> None:
        dear = priced("dear", "d", max_output_tokens=90)
        one = gateway(
            priced("gpt", "a", max_output_tokens=20), dear, fallbacks={ModelName("gpt"): (ModelName("dear"),)}
        )

        with pytest.raises(BudgetExceeded):
            await ask(one, replace(KEY, amount_nano=99))
        assert await ask(one, KEY) == 15

    run_virtual(scenario())


def test_without_fallback_only_what_was_asked_for_is_reserved_for() -> None:
    async def scenario() -> None:
        dear = priced("dear", "d", max_output_tokens=90)
        one = gateway(
            priced("gpt", "a", max_output_tokens=20),
            dear,
            policy=RouterPolicy(enable_model_fallback=False),
            fallbacks={ModelName("gpt"): (ModelName("dear"),)},
        )

        assert await ask(one, replace(KEY, amount_nano=30)) == 15

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("budget", "asked", "sent"),
    [(KEY, None, 20), (KEY, 7, None), (replace(KEY, hard=False), None, None)],
    ids=["the instance's", "the client's own", "a soft budget"],
)
def test_a_hard_budget_sends_the_maximum_that_it_counted_on(
    budget: BudgetTerms, asked: int | None, sent: int | None
) -> None:
    async def scenario() -> None:
        one = gateway()

        await ask(one, budget, max_output_tokens=asked)

        assert one.upstream("a").calls[0].max_output_tokens == sent

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("changes", "held_nano"),
    [
        ({"choices": 3}, 10 + 60),
        ({"most_input_tokens": 30}, 30 + 20),
        ({"most_input_tokens": 5_000}, 40 + 20),
        ({"max_output_tokens": 30}, 10 + 30),
        ({"endpoint": Endpoint.EMBEDDINGS}, 10),
    ],
    ids=["choices", "bytes", "no more than the context holds", "the client's maximum", "embeddings have no output"],
)
def test_as_much_is_held_as_a_request_can_come_to(changes: dict[str, Any], held_nano: int) -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", max_output_tokens=20, context_window=40))
        script(one, "a", SLOW)
        running = asyncio.create_task(ask(one, KEY, **changes))
        await one.clock.sleep(1)

        assert (await balance(one)).reserved_nano == held_nano

        await running

    run_virtual(scenario())


def test_an_attempt_that_was_never_sent_gives_back_what_it_held() -> None:
    async def scenario() -> None:
        one = gateway(policy=RouterPolicy(instance_retry_attempts=0))
        script(one, "a", fails(FailureKind.CONNECT))

        with pytest.raises(GatewayError):
            await ask(one, KEY)

        found = await balance(one)
        assert (found.settled_nano, found.reserved_nano, one.spends.remembered) == (0, 0, 0)

    run_virtual(scenario())


@pytest.mark.parametrize("leaves_us", [0, 400, 999, 1_000, 1_001])
def test_a_client_that_leaves_before_the_store_has_answered_holds_nothing(leaves_us: int) -> None:
    async def scenario() -> None:
        one = gateway()
        admit = one.admission.admit

        async def admit_late(request: CallerAdmissionRequest) -> CallerAnswer:
            answer = await admit(request)
            await one.clock.sleep(1_000)
            return answer

        await ask(one, KEY)
        one.admission.admit = admit_late  # type: ignore[method-assign]
        task = asyncio.create_task(ask(one, KEY))
        await one.clock.sleep(leaves_us)
        task.cancel()
        await asyncio.wait([task])
        await one.gate.settle()

        found = await balance(one)
        assert found.reserved_nano == 0
        assert found.settled_nano == sum(record.cost_nano for record in one.records())

    run_virtual(scenario())


def test_expected_reservations_hold_less_and_send_no_maximum() -> None:
    async def scenario() -> None:
        one = gateway(terms=Terms(upper_bound=False, default_output_tokens=5))

        assert await ask(one, replace(KEY, amount_nano=15), most_input_tokens=1_000) == 15

        assert one.upstream("a").calls[0].max_output_tokens is None

    run_virtual(scenario())


def test_a_request_that_finds_no_instance_gives_its_money_back() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", max_output_tokens=20, limits=InstanceLimits(max_parallel=1)))
        one.upstream("a").otherwise = SLOW
        first = asyncio.create_task(ask(one, KEY))
        await one.clock.sleep(1)

        with pytest.raises(NoInstanceAvailable):
            await ask(one, KEY)

        assert (await balance(one)).reserved_nano == 30
        await first
        assert (await balance(one)).reserved_nano == 0

    run_virtual(scenario())


def test_a_limit_that_refuses_holds_no_money_and_a_budget_that_refuses_charges_no_limit() -> None:
    async def scenario() -> None:
        one = gateway()
        caller = tenant(KEY, limits=(Limit("key:K:rpm", LimitKind.REQUESTS, 2),))
        poor = replace(caller, budgets=(replace(KEY, amount_nano=1),))

        for _ in range(5):
            with pytest.raises(BudgetExceeded):
                await one.complete("gpt", caller=poor)
        for _ in range(2):
            await one.complete("gpt", caller=caller)
        with pytest.raises(RateLimited):
            await one.complete("gpt", caller=caller)

        assert await balance(one) == replace(await balance(one), settled_nano=30, reserved_nano=0)

    run_virtual(scenario())


def test_a_soft_budget_refuses_nothing_and_tells() -> None:
    async def scenario() -> None:
        one = gateway()
        soft = replace(KEY, amount_nano=31, hard=False)

        alerts = []
        for _ in range(4):
            alerts.append((await one.complete("gpt", caller=tenant(soft))).trace.budgets)
            await one.spends.drain()

        assert alerts == [("key:K=96%",), ("key:K=145%",), ("key:K=193%",), ("key:K=241%",)]
        reached = [event.crossing.percent for event in one.events.events if isinstance(event, BudgetReached)]
        assert reached == [80, 100]

    run_virtual(scenario())


def test_a_client_that_leaves_while_money_is_held_leaves_none_behind() -> None:
    async def scenario() -> None:
        for pause_us in range(0, 60, 3):
            one = gateway()
            script(one, "a", Act(delay_us=50))
            task = asyncio.create_task(ask(one, KEY))
            await one.clock.sleep(pause_us)
            task.cancel()
            await asyncio.wait([task])
            await one.reserving.settle()

            found = await balance(one)
            assert found.reserved_nano == 0
            assert found.settled_nano == sum(record.cost_nano for record in one.records())

    run_virtual(scenario())


def test_callers_without_budgets_reserve_nothing() -> None:
    async def scenario() -> None:
        one = gateway()

        await one.complete("gpt")
        await one.complete("gpt", caller=tenant())

        assert one.spends.remembered == 0
        assert one.accounts._accounts == {}

    run_virtual(scenario())


def test_what_the_ledger_has_is_remembered_no_more() -> None:
    async def scenario() -> None:
        one = gateway()
        await ask(one, KEY)
        await one.spends.drain()
        assert one.spends.remembered == 1

        await ledgered(one)

        assert one.spends.remembered == 0

    run_virtual(scenario())


def test_an_error_after_the_first_attempt_leaves_no_money_held() -> None:
    async def scenario() -> None:
        one = gateway(policy=RouterPolicy(instance_retry_attempts=1))
        script(one, "a", fails(FailureKind.SERVER_ERROR, status=500), fails(FailureKind.SERVER_ERROR, status=500))

        with pytest.raises(GatewayError):
            await ask(one, KEY)

        assert told(one) == [(1, "failed", 0), (2, "failed", 0)]
        assert (await balance(one)).reserved_nano == 0

    run_virtual(scenario())


def test_audit_7_1_the_master_key_bypasses_budgets_and_limits_and_is_recorded_all_the_same() -> None:
    async def scenario() -> None:
        one = gateway()
        master = replace(MASTER, budgets=(), limits=())

        for _ in range(3):
            await one.complete("gpt", caller=master)

        assert [(record.account, record.cost_nano) for record in one.records()] == [("master:master", 15)] * 3
        assert one.accounts._accounts == {}

    run_virtual(scenario())


def test_audit_7_1_expected_costs_are_estimated_as_the_predecessor_did() -> None:
    async def scenario() -> None:
        one = gateway(terms=Terms(upper_bound=False))
        script(one, "a", SLOW)
        running = asyncio.create_task(ask(one, replace(KEY, amount_nano=1_000), input_tokens=25, most_input_tokens=900))
        await one.clock.sleep(1)

        assert (await balance(one)).reserved_nano == 25 + 150

        await running

    run_virtual(scenario())

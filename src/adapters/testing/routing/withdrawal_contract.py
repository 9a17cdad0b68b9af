import asyncio
from collections import Counter

from adapters.testing.routing.harness import CONFIG, LEASE_US, WHOLE, A, B, C, RoutingHarness, instance, weighted
from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.decision import Exclusion
from domain.routing.strategy import Leaf, Ordered, Weighted

FIVE_ONE_ONE = weighted((A, 5), (B, 1), (C, 1))


class WithdrawalContract:
    """An admission that is undone is as if it had never been."""

    async def test_withdrawn_admissions_leave_the_sequence_of_the_others_exact(self, harness: RoutingHarness) -> None:
        picked = []
        for number in range(14):
            for _ in range(number % 3):
                (await harness.take(FIVE_ONE_ONE)).withdraw()
            picked.append((await harness.take(FIVE_ONE_ONE)).admitted.instance.id)

        assert "".join(picked) == "aabacaa" * 2

    async def test_an_admission_that_is_cancelled_holds_nothing(self, harness: RoutingHarness) -> None:
        plan = weighted((instance("limited", rpm=1, max_parallel=1), 1))
        for number in range(6):  # before it is asked, on its way, and with the answer just there
            request = AdmissionRequest(LeaseId(f"gone-{number}"), plan, 0, LEASE_US)
            asking = asyncio.ensure_future(harness.routing.admit(request))
            for _ in range(number):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            if not asking.cancelled():
                harness.routing.withdraw(request)

        await harness.take(plan)

    async def test_a_withdrawal_has_taken_effect_before_the_next_admission(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=1)
        for number in range(3):
            request = AdmissionRequest(LeaseId(f"{number}"), Leaf(limited), 0, LEASE_US)
            assert isinstance(await harness.routing.admit(request), Admitted)
            harness.routing.withdraw(request)

    async def test_shares_stay_exact_when_others_are_admitted_in_between(self, harness: RoutingHarness) -> None:
        picked = Counter[str]()
        for _ in range(14):
            withdrawn = await harness.take(FIVE_ONE_ONE)
            picked[(await harness.take(FIVE_ONE_ONE)).admitted.instance.id] += 1
            withdrawn.withdraw()

        assert picked == {"a": 10, "b": 2, "c": 2}
        after = [(await harness.take(FIVE_ONE_ONE)).admitted.instance.id for _ in range(7)]
        assert "".join(after) == "aabacaa"

    async def test_withdrawals_in_any_order_leave_the_credits_as_they_were(self, harness: RoutingHarness) -> None:
        running = [await harness.take(FIVE_ONE_ONE) for _ in range(5)]
        for place in (3, 0, 4, 1, 2):
            running[place].withdraw()

        after = [(await harness.take(FIVE_ONE_ONE)).admitted.instance.id for _ in range(7)]

        assert "".join(after) == "aabacaa"

    async def test_every_round_robin_on_the_way_gets_back_its_turn(self, harness: RoutingHarness) -> None:
        inner, other = weighted((A, 2), (B, 1), key="inner"), weighted((C, 1), key="other")
        plan = Weighted("outer", (("m", 1, other), ("n", 2, inner)))
        undisturbed = [(await harness.take(plan)).admitted.instance.id for _ in range(9)]
        picked = []
        for number in range(9):
            for _ in range(1 + number % 2):
                (await harness.take(plan)).withdraw()
            picked.append((await harness.take(plan)).admitted.instance.id)

        assert picked == undisturbed
        assert Counter(picked) == {"a": 4, "b": 2, "c": 3}

    async def test_those_that_could_not_be_taken_give_nothing_back(self, harness: RoutingHarness) -> None:
        full = instance("b", max_parallel=1)
        plan = Weighted("k", (("z", 0, Leaf(A)), *weighted((A, 5), (full, 1), (C, 1)).children))
        in_its_way = await harness.take(Leaf(full))
        for _ in range(3):
            (await harness.take(plan)).withdraw()
        in_its_way.end()

        picked = []
        for _ in range(7):
            held = await harness.take(plan)
            held.end()
            picked.append(held.admitted.instance.id)

        assert "".join(picked) == "aabacaa"

    async def test_requests_tokens_and_slot_are_free_again(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=2, tpm=100, max_parallel=2)
        await harness.take(Leaf(limited), tokens=20)
        for _ in range(3):
            (await harness.take(weighted((limited, 1)), tokens=80)).withdraw()

        view = await harness.view(limited)

        assert (view.requests_used, view.tokens_used, view.in_flight) == (1, 20, 1)
        await harness.take(Leaf(limited), tokens=80)
        refusal = (await harness.refused(Leaf(limited))).refusals[0]
        assert refusal.reason is Exclusion.RPM_LIMIT

    async def test_charges_are_taken_back_from_where_they_went(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=9, tpm=900)
        withdrawn = await harness.take(Leaf(limited), tokens=80)
        await harness.take(Leaf(limited), tokens=7)
        harness.clock.advance(5 * SECOND_US)
        await harness.take(Leaf(limited), tokens=30)
        withdrawn.withdraw()
        at_once = await harness.view(limited)

        harness.clock.advance(56 * SECOND_US)

        assert (at_once.requests_used, at_once.tokens_used) == (2, 37)
        later = await harness.view(limited)
        assert (later.requests_used, later.tokens_used) == (1, 30)

    async def test_a_charge_that_has_left_the_window_is_taken_from_no_other(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=9, tpm=900)
        withdrawn = await harness.take(Leaf(limited), tokens=80)
        for _ in range(4):
            harness.clock.advance(16 * SECOND_US)
            await harness.routing.renew({withdrawn.lease_id: limited}, LEASE_US)
        await harness.take(Leaf(limited), tokens=30)
        withdrawn.withdraw()

        view = await harness.view(limited)
        assert (view.requests_used, view.tokens_used, view.in_flight) == (1, 30, 1)

    async def test_a_probe_permit_is_given_back_and_the_circuit_stays_half_open(self, harness: RoutingHarness) -> None:
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        for _ in range(CONFIG.half_open_probes + CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).withdraw()

        assert await harness.circuit(A) is CircuitState.HALF_OPEN
        for _ in range(CONFIG.probes_to_close):
            (await harness.take(Leaf(A))).end()
        assert await harness.circuit(A) is CircuitState.CLOSED
        moves = [event.transition.after for event in harness.events.circuits]
        assert moves == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]

    async def test_the_permit_of_another_attempt_is_kept(self, harness: RoutingHarness) -> None:
        from_before = await harness.take(Leaf(A))
        await harness.fail(A, CONFIG.consecutive_failures)
        harness.clock.advance(CONFIG.open_duration_us)
        probe = await harness.take(Leaf(A))
        from_before.withdraw()

        assert (await harness.refused(Leaf(A))).refusals[0].reason is Exclusion.PROBES_IN_FLIGHT
        probe.end(Outcome.FAILURE)
        assert await harness.circuit(A) is CircuitState.OPEN

    async def test_a_report_of_a_withdrawn_attempt_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        for _ in range(CONFIG.consecutive_failures):
            held = await harness.take(Leaf(limited), tokens=80)
            harness.clock.advance(LEASE_US - 1)
            held.withdraw()
            held.end(Outcome.FAILURE, latency_us=SECOND_US, tokens=50)

        view = await harness.view(limited)

        assert (view.circuit, view.latency_us) == (CircuitState.CLOSED, None)
        assert (view.tokens_used, view.in_flight) == (0, 0)

    async def test_a_withdrawal_repeated_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=10, tpm=100)
        plan = weighted((limited, 2), (A, 1))
        await harness.take(Leaf(limited), tokens=30)
        held = await harness.take(plan, tokens=10)
        held.withdraw()
        held.withdraw()
        held.withdraw()

        view = await harness.view(limited)
        picked = [(await harness.take(plan)).admitted.instance.id for _ in range(3)]

        assert (view.requests_used, view.tokens_used, view.in_flight) == (1, 30, 1)
        assert picked == [limited.id, A.id, limited.id]

    async def test_a_withdrawal_of_what_was_reported_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=10, tpm=100)
        plan = weighted((limited, 2), (A, 1))
        held = await harness.take(plan, tokens=10)
        held.end(tokens=40)
        held.withdraw()

        view = await harness.view(limited)
        picked = [(await harness.take(plan)).admitted.instance.id for _ in range(2)]

        assert (view.requests_used, view.tokens_used) == (1, 40)
        assert picked == [A.id, limited.id]

    async def test_a_withdrawal_of_an_expired_lease_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", rpm=10, tpm=100)
        plan = weighted((limited, 2), (A, 1))
        expired = await harness.take(plan, tokens=10)
        harness.clock.advance(LEASE_US)
        expired.withdraw()

        view = await harness.view(limited)
        picked = [(await harness.take(plan)).admitted.instance.id for _ in range(2)]

        assert (view.requests_used, view.tokens_used, view.in_flight) == (1, 10, 0)
        assert picked == [A.id, limited.id]

    async def test_a_withdrawal_of_what_was_never_admitted_changes_nothing(self, harness: RoutingHarness) -> None:
        limited = instance("limited", tpm=100)
        plan = weighted((limited, 2), (A, 1))
        await harness.take(plan, tokens=10)
        before = await harness.view(limited)

        harness.routing.withdraw(AdmissionRequest(LeaseId("unheard-of"), plan, 10, LEASE_US))

        assert await harness.view(limited) == before
        picked = [(await harness.take(plan)).admitted.instance.id for _ in range(2)]
        assert picked == [A.id, limited.id]

    async def test_after_a_withdrawal_the_same_lease_is_decided_anew(self, harness: RoutingHarness) -> None:
        limited = instance("limited", max_parallel=1)
        plan = Ordered((Leaf(limited), Leaf(B)))
        first = await harness.take(plan, lease="same")
        first.withdraw()
        await harness.take(Leaf(limited))

        again = await harness.take(plan, lease="same")

        assert (first.admitted.instance, again.admitted.instance) == (limited, B)

    async def test_a_withdrawn_attempt_counts_as_running_no_more(self, harness: RoutingHarness) -> None:
        before = await harness.view(A)
        held = await harness.take(Leaf(A))
        running = harness.routing.view(A, WHOLE).in_flight
        held.withdraw()
        held.withdraw()

        assert (running, harness.routing.view(A, WHOLE).in_flight) == (1, 0)
        assert await harness.view(A) == before

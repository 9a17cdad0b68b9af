import asyncio

import pytest

from adapters.testing.admission.harness import LEASE_US, OF_A_MINUTE, AdmissionHarness, parallel, rpm, tpm
from domain.durations import SECOND_US
from domain.limits.admission import CallerAdmitted
from domain.limits.limit import Algorithm, Limit, LimitKind


def every_limit(number: int) -> tuple[Limit, ...]:
    """A limit of each kind by each algorithm."""
    requests = (rpm(number, algorithm, f"rpm:{algorithm}") for algorithm in OF_A_MINUTE)
    tokens = (tpm(number, algorithm, f"tpm:{algorithm}") for algorithm in OF_A_MINUTE)
    return (*requests, *tokens, parallel(number))


class DecisionContract:
    """All limits of a request as one decision, and the slots of parallel ones."""

    async def test_a_request_without_limits_is_admitted(self, harness: AdmissionHarness) -> None:
        request = await harness.take()

        await harness.admission.settle(request, 5)

        assert await harness.admission.renew(request)

    async def test_an_admission_tells_what_is_left_of_every_limit(self, harness: AdmissionHarness) -> None:
        answer = await harness.admit(*every_limit(10), tokens=4)

        assert isinstance(answer, CallerAdmitted)
        assert [standing.limit for standing in answer.standings] == list(every_limit(10))
        assert [standing.decision.remaining for standing in answer.standings] == [9, 9, 9, 6, 6, 6, 9]
        assert [standing.decision.reset_after_us // SECOND_US for standing in answer.standings] == [
            *(61, 6, 60),
            *(61, 24, 60),
            1,
        ]

    async def test_the_tightest_limit_of_a_kind_is_known(self, harness: AdmissionHarness) -> None:
        member, key = rpm(3, name="member"), rpm(2, name="key")

        answer = await harness.admit(member, key, tpm(1), parallel(1))

        assert isinstance(answer, CallerAdmitted)
        tightest = answer.tightest(LimitKind.REQUESTS)
        assert tightest is not None
        assert (tightest.limit, tightest.decision.remaining) == (key, 1)
        assert (await harness.admit()) == CallerAdmitted(())

    @pytest.mark.parametrize("tight", [*every_limit(1)], ids=lambda limit: limit.name)
    async def test_refused_by_one_is_free_under_all(self, harness: AdmissionHarness, tight: Limit) -> None:
        roomy = tuple(limit for limit in every_limit(5) if limit.name != tight.name)
        await harness.take(tight, tokens=1)

        refusal = await harness.refused(*roomy, tight, tokens=1)

        assert (refusal.limit, refusal.decision.remaining) == (tight, 0)
        assert [await harness.left(limit) for limit in roomy] == [5] * len(roomy)

    async def test_a_refusal_names_the_limit_that_makes_it_wait_longest(self, harness: AdmissionHarness) -> None:
        minute, bucket, slots = rpm(1, name="minute"), rpm(1, Algorithm.TOKEN_BUCKET, "bucket"), parallel(1)
        await harness.take(slots, bucket, minute)

        longest = [
            await harness.refused(slots, bucket),
            await harness.refused(bucket, minute, slots),
            await harness.refused(minute, tpm(3), bucket, tokens=4),
        ]

        assert [refusal.limit.name for refusal in longest] == ["bucket", "minute", "key:K:tpm"]
        waits_us = [refusal.decision.retry_after_us for refusal in longest]
        assert waits_us == [60 * SECOND_US, 61 * SECOND_US, None]

    async def test_repeated_it_answers_as_before_and_charges_nothing(self, harness: AdmissionHarness) -> None:
        request = harness.request(*every_limit(10), tokens=4)
        first = await harness.admission.admit(request)
        harness.clock.advance(2 * SECOND_US)

        assert await harness.admission.admit(request) == first
        await harness.admission.settle(request, 4)
        assert await harness.admission.admit(request) == first

        assert await harness.left(every_limit(10)[0]) == 9
        assert await harness.left(every_limit(10)[3]) == 6
        assert await harness.left(parallel(10)) == 10

    async def test_a_refusal_is_not_remembered(self, harness: AdmissionHarness) -> None:
        first = await harness.take(parallel(1))
        request = harness.request(parallel(1))
        refused = await harness.admission.admit(request)
        await harness.admission.release(first)

        assert not isinstance(refused, CallerAdmitted)
        assert isinstance(await harness.admission.admit(request), CallerAdmitted)

    async def test_released_it_was_never_there(self, harness: AdmissionHarness) -> None:
        request = await harness.take(*every_limit(5), tokens=3)

        await harness.admission.release(request)

        assert [await harness.left(limit) for limit in every_limit(5)] == [5] * 7

    async def test_it_ends_once(self, harness: AdmissionHarness) -> None:
        request = await harness.take(*every_limit(100), tokens=60)
        await harness.take(*every_limit(100), tokens=20)

        await harness.admission.settle(request, 50)
        await harness.admission.settle(request, 10)
        await harness.admission.release(request)

        assert [await harness.left(limit) for limit in every_limit(100)] == [98, 98, 98, 30, 30, 30, 99]

    async def test_what_was_never_admitted_ends_without_a_trace(self, harness: AdmissionHarness) -> None:
        stranger = harness.request(*every_limit(5), tokens=3)

        await harness.admission.settle(stranger, 1)
        await harness.admission.release(stranger)

        assert [await harness.left(limit) for limit in every_limit(5)] == [5] * 7

    async def test_accounts_do_not_share_limits(self, harness: AdmissionHarness) -> None:
        await harness.take(rpm(1))

        await harness.take(rpm(1), account="another")

    async def test_parallel_requests_free_their_slot_at_the_end(self, harness: AdmissionHarness) -> None:
        first = await harness.take(parallel(2))
        await harness.take(parallel(2))
        refusal = await harness.refused(parallel(2))

        await harness.admission.settle(first, None)

        assert refusal.decision.retry_after_us == SECOND_US
        await harness.take(parallel(2))

    async def test_the_slot_of_one_who_died_comes_back_when_its_lease_expires(self, harness: AdmissionHarness) -> None:
        await harness.take(parallel(1))

        harness.clock.advance(LEASE_US - 1)
        await harness.refused(parallel(1))
        harness.clock.advance(1)

        await harness.take(parallel(1))

    async def test_a_renewed_slot_is_held_until_its_end(self, harness: AdmissionHarness) -> None:
        limits = parallel(1, "member"), rpm(10), parallel(1, "key")
        request = await harness.take(*limits)
        for _ in range(12):
            harness.clock.advance(LEASE_US // 3)
            assert await harness.admission.renew(request)

        await harness.refused(parallel(1, "member"))
        await harness.refused(parallel(1, "key"))
        await harness.admission.settle(request, None)
        assert await harness.left(parallel(1, "member")) == 1
        assert await harness.left(parallel(1, "key")) == 1

    async def test_a_lost_slot_is_not_taken_again(self, harness: AdmissionHarness) -> None:
        request = await harness.take(parallel(1))
        harness.clock.advance(LEASE_US)

        assert not await harness.admission.renew(request)

        assert await harness.left(parallel(1)) == 1

    async def test_of_many_at_once_exactly_the_limit_is_admitted(self, harness: AdmissionHarness) -> None:
        answers = await asyncio.gather(*(harness.admit(*every_limit(7), tokens=1) for _ in range(40)))

        assert sum(isinstance(answer, CallerAdmitted) for answer in answers) == 7

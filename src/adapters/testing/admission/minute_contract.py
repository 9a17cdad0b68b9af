import pytest

from adapters.testing.admission.harness import OF_A_MINUTE, AdmissionHarness, rpm, tpm
from domain.durations import MINUTE_US, SECOND_US
from domain.limits.admission import CallerAdmitted
from domain.limits.limit import LARGEST_LIMIT, Algorithm

each_algorithm = pytest.mark.parametrize("algorithm", OF_A_MINUTE)


class MinuteContract:
    """Limits of requests and tokens a minute, by each algorithm."""

    @each_algorithm
    async def test_a_limit_admits_its_number_at_once_and_names_the_instant_of_the_next(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        harness.clock.advance(7_654_321)
        limit = rpm(7, algorithm)
        for _ in range(7):
            await harness.take(limit)

        wait_us = (await harness.refused(limit)).decision.retry_after_us

        assert wait_us is not None
        harness.clock.advance(wait_us - 1)
        await harness.refused(limit)
        harness.clock.advance(1)
        await harness.take(limit)

    @each_algorithm
    async def test_an_idle_limit_is_whole_again_when_it_said_it_would_be(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        harness.clock.advance(1_234_567)
        await harness.take(rpm(9, algorithm))
        harness.clock.advance(2 * SECOND_US)
        answer = await harness.admit(rpm(9, algorithm))
        assert isinstance(answer, CallerAdmitted)

        harness.clock.advance(answer.standings[0].decision.reset_after_us)

        assert await harness.left(rpm(9, algorithm)) == 9

    @each_algorithm
    async def test_tokens_reserve_the_estimate_and_settle_to_what_was_used(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        limit = tpm(100, algorithm)
        request = await harness.take(limit, tokens=80)
        await harness.refused(limit, tokens=21)

        await harness.admission.settle(request, 50)

        assert await harness.left(limit) == 50

    @each_algorithm
    async def test_more_than_the_estimate_counts_too_and_beyond_the_limit(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        limit = tpm(100, algorithm)
        request = await harness.take(limit, tokens=90)

        await harness.admission.settle(request, 150)

        refusal = await harness.refused(limit, tokens=1)
        assert refusal.decision.remaining == 0
        assert refusal.decision.retry_after_us is not None
        harness.clock.advance(refusal.decision.retry_after_us)
        await harness.take(limit, tokens=1)

    @each_algorithm
    async def test_an_estimate_stands_where_the_usage_is_unknown(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        request = await harness.take(tpm(100, algorithm), tokens=80)

        await harness.admission.settle(request, None)

        assert await harness.left(tpm(100, algorithm)) == 20

    @each_algorithm
    async def test_what_is_settled_late_changes_nothing(self, harness: AdmissionHarness, algorithm: Algorithm) -> None:
        late = await harness.take(tpm(100, algorithm), tokens=80)
        harness.clock.advance(61 * SECOND_US)
        await harness.take(tpm(100, algorithm), tokens=30)

        await harness.admission.settle(late, 100)
        await harness.admission.settle(late, 0)

        assert await harness.left(tpm(100, algorithm)) == 70

    @each_algorithm
    async def test_what_can_never_fit_names_no_time_to_wait_for(
        self, harness: AdmissionHarness, algorithm: Algorithm
    ) -> None:
        for tokens in (101, LARGEST_LIMIT + 1, 10**30):
            refusal = await harness.refused(tpm(100, algorithm), tokens=tokens)

            assert (refusal.decision.remaining, refusal.decision.retry_after_us) == (100, None)

    @each_algorithm
    async def test_the_largest_limits_lose_no_digit(self, harness: AdmissionHarness, algorithm: Algorithm) -> None:
        limit = tpm(LARGEST_LIMIT, algorithm)

        request = await harness.take(limit, tokens=LARGEST_LIMIT - 1_666)
        left = await harness.left(limit)
        await harness.admission.settle(request, 10**30)

        assert left == 1_666
        assert (await harness.refused(limit, tokens=1)).decision.remaining == 0

    async def test_a_sliding_window_admits_no_second_burst_across_the_turn_of_a_minute(
        self, harness: AdmissionHarness
    ) -> None:
        harness.clock.advance(59 * SECOND_US + 999_000)
        for _ in range(10):
            await harness.take(rpm(10))

        harness.clock.advance(2_000)
        refusal = await harness.refused(rpm(10))

        assert refusal.decision.retry_after_us == 59 * SECOND_US + 999_000

    async def test_a_sliding_window_gets_back_second_by_second_what_it_was_charged(
        self, harness: AdmissionHarness
    ) -> None:
        limit = tpm(6)
        for tokens in (1, 2, 3):
            await harness.take(limit, tokens=tokens)
            harness.clock.advance(10 * SECOND_US)

        refusals = [(await harness.refused(limit, tokens=tokens)).decision for tokens in (1, 2, 3, 4)]
        assert [refusal.retry_after_us for refusal in refusals] == [wait_s * SECOND_US for wait_s in (31, 41, 41, 51)]
        assert {refusal.reset_after_us for refusal in refusals} == {51 * SECOND_US}
        left = []
        for span_us in (31 * SECOND_US - 1, 1, 10 * SECOND_US - 1, 1, 10 * SECOND_US):
            harness.clock.advance(span_us)
            left.append((await harness.refused(limit, tokens=7)).decision.remaining)
        assert left == [0, 1, 1, 3, 6]

    async def test_a_window_is_whole_when_its_last_bucket_has_left(self, harness: AdmissionHarness) -> None:
        await harness.take(tpm(6), tokens=6)
        harness.clock.advance(61 * SECOND_US + 500_000)

        assert (await harness.refused(tpm(6), tokens=7)).decision.reset_after_us == 0

    async def test_a_fixed_window_is_new_at_the_turn_of_a_minute(self, harness: AdmissionHarness) -> None:
        limit = rpm(1, Algorithm.FIXED_WINDOW)
        harness.clock.advance(59 * SECOND_US + 999_999)
        await harness.take(limit)
        assert (await harness.refused(limit)).decision.retry_after_us == 1

        harness.clock.advance(1)

        answer = await harness.admit(limit)
        assert isinstance(answer, CallerAdmitted)
        assert answer.standings[0].decision.reset_after_us == MINUTE_US

    async def test_a_token_bucket_refills_one_by_one(self, harness: AdmissionHarness) -> None:
        limit = rpm(60, Algorithm.TOKEN_BUCKET)
        for _ in range(60):
            await harness.take(limit)

        harness.clock.advance(3 * SECOND_US)

        assert await harness.left(limit) == 3

    async def test_a_token_bucket_does_not_give_back_what_has_refilled(self, harness: AdmissionHarness) -> None:
        limit = tpm(60, Algorithm.TOKEN_BUCKET)
        request = await harness.take(limit, tokens=30)
        harness.clock.advance(20 * SECOND_US)
        await harness.take(limit, tokens=50)

        await harness.admission.settle(request, 0)

        assert await harness.left(limit) == 10

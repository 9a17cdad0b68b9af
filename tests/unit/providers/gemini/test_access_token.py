import asyncio

import pytest

from adapters.outbound.providers.gemini.access_token import AccessToken, TokenSource
from adapters.testing.virtual_time import ManualClock
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind, ProviderFailed

HOUR_US = 3_600 * SECOND_US
REFUSED = ProviderFailed(Failure(FailureKind.CREDENTIAL_REFUSED, "no", unsent=True))


class Issuer:
    """Issues tokens of an hour, when it is let."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()
        self.failure: ProviderFailed | None = None

    async def __call__(self) -> AccessToken:
        self.asked += 1
        number = self.asked
        await self.may.wait()
        if self.failure is not None:
            raise self.failure
        return AccessToken(f"token-{number}", self.clock.now_us() + HOUR_US)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def tokens(issuer: Issuer, clock: ManualClock) -> TokenSource:
    return TokenSource(issuer, clock)


async def rest() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_token_is_fetched_once_for_all_that_wait(tokens: TokenSource, issuer: Issuer) -> None:
    found = await asyncio.gather(*(tokens.token() for _ in range(10)))
    assert {token.value for token in found} == {"token-1"}
    assert (await tokens.token()).value == "token-1"
    assert issuer.asked == 1


async def test_a_token_is_renewed_ahead_of_its_end_and_nobody_waits(
    tokens: TokenSource, issuer: Issuer, clock: ManualClock
) -> None:
    await tokens.token()
    clock.advance(HOUR_US - 226 * SECOND_US)
    assert (await tokens.token(), issuer.asked) == (tokens.at_hand, 1)

    issuer.may.clear()
    clock.advance(2 * SECOND_US)
    assert [(await tokens.token()).value for _ in range(3)] == ["token-1"] * 3
    await rest()
    assert issuer.asked == 2

    issuer.may.set()
    await rest()
    assert (await tokens.token()).value == "token-2"


async def test_a_token_that_ends_is_not_used(tokens: TokenSource, issuer: Issuer, clock: ManualClock) -> None:
    await tokens.token()
    clock.advance(HOUR_US - 20 * SECOND_US)
    assert (await tokens.token()).value == "token-2"
    assert issuer.asked == 2


async def test_a_renewal_that_fails_is_tried_again_after_a_pause(
    tokens: TokenSource, issuer: Issuer, clock: ManualClock
) -> None:
    await tokens.token()
    issuer.failure = REFUSED
    clock.advance(HOUR_US - 200 * SECOND_US)
    for _ in range(3):
        assert (await tokens.token()).value == "token-1"
        await rest()
    assert issuer.asked == 2

    clock.advance(10 * SECOND_US)
    await tokens.token()
    await rest()
    assert issuer.asked == 3


async def test_who_waits_for_a_token_that_is_refused_is_told(tokens: TokenSource, issuer: Issuer) -> None:
    issuer.failure = REFUSED
    found = await asyncio.gather(tokens.token(), tokens.token(), return_exceptions=True)
    assert set(found) == {REFUSED}

    issuer.failure = None
    assert (await tokens.token()).value == "token-2"


async def test_who_stops_waiting_takes_nothing_from_the_others(tokens: TokenSource, issuer: Issuer) -> None:
    issuer.may.clear()
    first, second = (asyncio.ensure_future(tokens.token()) for _ in range(2))
    await rest()
    first.cancel()
    await rest()
    issuer.may.set()
    assert (await second).value == "token-1"
    assert first.cancelled()
    assert issuer.asked == 1


async def test_a_token_that_was_refused_is_forgotten(tokens: TokenSource) -> None:
    await tokens.token()
    tokens.forget()
    assert tokens.at_hand is None
    assert (await tokens.token()).value == "token-2"


def test_a_token_is_not_shown() -> None:
    assert "token-1" not in repr(AccessToken("token-1", 0))

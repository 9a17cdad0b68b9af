"""The contracts of the small ports. Inherit one, give it the fixture it names, and every test must pass."""

import asyncio
from dataclasses import replace

import pytest

from application.ports.authenticator import Authenticator
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.provider import ProviderDirectory
from application.ports.randomness import Randomness
from domain.callers import CallerKind
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.events import CircuitChanged
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import CircuitState, Transition

MASTER_KEY = "mg_master_contract"


class ClockContract:
    """Wants `clock`."""

    async def test_sleep_lasts_at_least_as_long_as_asked(self, clock: Clock) -> None:
        before = clock.monotonic_us()

        await clock.sleep(2_000)

        assert clock.monotonic_us() - before >= 2_000

    async def test_both_clocks_move_together(self, clock: Clock) -> None:
        wall, monotonic = clock.now_us(), clock.monotonic_us()

        await clock.sleep(2_000)

        assert clock.now_us() - wall == pytest.approx(clock.monotonic_us() - monotonic, abs=50_000)

    def test_wall_time_is_microseconds_since_the_epoch(self, clock: Clock) -> None:
        year_2020_us, year_2200_us = 1_577_836_800_000_000, 7_258_118_400_000_000

        assert year_2020_us < clock.now_us() < year_2200_us

    async def test_a_sleeper_can_be_cancelled(self, clock: Clock) -> None:
        sleeper = asyncio.ensure_future(clock.sleep(10**12))
        sleeper.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sleeper


class RandomnessContract:
    """Wants `randomness`."""

    def test_draws_lie_between_zero_and_one_and_differ(self, randomness: Randomness) -> None:
        drawn = [randomness.draw() for _ in range(1_000)]

        assert all(0 <= number < 1 for number in drawn)
        assert len(set(drawn)) > 990
        assert 0.4 < sum(drawn) / len(drawn) < 0.6

    def test_bits_fit_their_width_and_use_it(self, randomness: Randomness) -> None:
        drawn = [randomness.bits(74) for _ in range(200)]

        assert all(0 <= number < 2**74 for number in drawn)
        assert max(drawn) >= 2**72
        assert len(set(drawn)) == 200


class AuthenticatorContract:
    """Wants `authenticator`, which requires a credential and knows MASTER_KEY as the master key."""

    async def test_the_master_key_is_the_master(self, authenticator: Authenticator) -> None:
        caller = await authenticator.authenticate(MASTER_KEY)

        assert caller is not None
        assert caller.kind is CallerKind.MASTER

    @pytest.mark.parametrize(
        "credential",
        [None, "", " ", MASTER_KEY + "x", MASTER_KEY[:-1], MASTER_KEY.upper(), "' OR 1=1 --", "\udcff", "ключ"],
    )
    async def test_anything_else_is_nobody(self, authenticator: Authenticator, credential: str | None) -> None:
        assert await authenticator.authenticate(credential) is None


class CatalogSourceContract:
    """Wants `catalog_source`, made of `catalog` and `policy`."""

    def test_catalog_and_policy_come_together(
        self, catalog_source: CatalogSource, catalog: Catalog, policy: RouterPolicy
    ) -> None:
        assert catalog_source.current() == (catalog, policy)


class EventSinkContract:
    """Wants `event_sink`."""

    def test_publishing_never_fails(self, event_sink: EventSink) -> None:
        transition = Transition(CircuitState.CLOSED, CircuitState.OPEN, "failure_rate", 1)

        for _ in range(1_000):
            event_sink.publish(CircuitChanged(InstanceId("hostile\r\n%s%d{}"), transition))


class ProviderDirectoryContract:
    """Wants `directory`, and `instances`: at least two that it knows."""

    def test_an_instance_has_one_provider_and_keeps_it(
        self, directory: ProviderDirectory, instances: list[Instance]
    ) -> None:
        first = [directory.provider_of(instance) for instance in instances]
        second = [directory.provider_of(instance) for instance in instances]

        assert all(one is other for one, other in zip(first, second, strict=True))
        assert len({id(provider) for provider in first}) == len(instances)

    def test_an_instance_it_does_not_know_is_a_lookup_error(
        self, directory: ProviderDirectory, instances: list[Instance]
    ) -> None:
        with pytest.raises(LookupError):
            directory.provider_of(replace(instances[0], id=InstanceId("never configured")))

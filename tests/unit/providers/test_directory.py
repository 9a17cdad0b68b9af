import pytest

from adapters.outbound.providers.directory import ConfiguredProviders, CurrentProviders
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from domain.catalog import Instance
from domain.identifiers import InstanceId, ModelName
from tests.integration.providers.fakes import NoTransport


def instance(name: str) -> Instance:
    return Instance(InstanceId(name), ModelName("m"), "openai", "gpt")


def provider() -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(OpenAICompatibleConfig("openai"), NoTransport())


def test_an_instance_has_always_the_same_provider() -> None:
    one, two = provider(), provider()
    directory = ConfiguredProviders({InstanceId("a"): one, InstanceId("b"): two})
    assert directory.provider_of(instance("a")) is one
    assert directory.provider_of(instance("b")) is two


def test_an_unknown_instance_is_a_fault_that_names_it() -> None:
    with pytest.raises(LookupError, match="'c'"):
        ConfiguredProviders({}).provider_of(instance("c"))


def test_requests_under_way_keep_the_providers_they_began_with_through_any_number_of_reloads() -> None:
    old, new = provider(), provider()
    directory = CurrentProviders(ConfiguredProviders({InstanceId("a"): old, InstanceId("b"): old}))
    began_with = directory.snapshot()
    for _ in range(3):
        directory.replace(ConfiguredProviders({InstanceId("a"): new}))

    assert directory.provider_of(instance("a")) is new
    assert directory.snapshot().provider_of(instance("a")) is new
    assert began_with.provider_of(instance("a")) is old
    assert began_with.provider_of(instance("b")) is old
    with pytest.raises(LookupError):
        directory.provider_of(instance("b"))

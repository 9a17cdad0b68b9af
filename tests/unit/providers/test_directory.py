import pytest

from adapters.outbound.providers.directory import ConfiguredProviders
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


def test_requests_under_way_find_their_provider_after_a_reload() -> None:
    old, new = provider(), provider()
    directory = ConfiguredProviders({InstanceId("a"): old, InstanceId("b"): old})
    directory.replace({InstanceId("a"): new})
    assert directory.provider_of(instance("a")) is new
    assert directory.provider_of(instance("b")) is old
    directory.replace({InstanceId("a"): new})
    with pytest.raises(LookupError):
        directory.provider_of(instance("b"))

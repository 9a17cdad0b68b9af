import pytest

from adapters.outbound.providers.directory import ConfiguredProviders
from adapters.testing.doubles import FakeProviderDirectory
from adapters.testing.scripted_provider import ScriptedProvider
from adapters.testing.small_contracts import ProviderDirectoryContract
from application.ports.provider import ProviderDirectory
from domain.catalog import Instance
from domain.identifiers import InstanceId, ModelName


@pytest.fixture
def instances() -> list[Instance]:
    return [Instance(InstanceId(name), ModelName("m"), "custom", "u") for name in "ab"]


class TestConfiguredProviders(ProviderDirectoryContract):
    @pytest.fixture
    def directory(self, instances: list[Instance]) -> ProviderDirectory:
        return ConfiguredProviders({instance.id: ScriptedProvider() for instance in instances})


class TestFakeProviderDirectory(ProviderDirectoryContract):
    @pytest.fixture
    def directory(self, instances: list[Instance]) -> ProviderDirectory:
        return FakeProviderDirectory({instance.id: ScriptedProvider() for instance in instances})

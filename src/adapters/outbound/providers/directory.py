"""Providers by instance."""

from collections.abc import Mapping

from application.ports.provider import Provider, ProviderDirectory
from domain.catalog import Instance
from domain.identifiers import InstanceId


class ConfiguredProviders:
    """The providers of one configuration."""

    def __init__(self, providers: Mapping[InstanceId, Provider]) -> None:
        self._providers = dict(providers)

    def provider_of(self, instance: Instance) -> Provider:
        """The provider. An instance of another configuration is a LookupError: a fault in the wiring."""
        provider = self._providers.get(instance.id)
        if provider is None:
            raise LookupError(f"no provider is configured for the instance {instance.id!r}")
        return provider

    def find(self, instance_id: InstanceId) -> Provider | None:
        """The provider of the instance with that id, if there is one."""
        return self._providers.get(instance_id)

    def snapshot(self) -> ProviderDirectory:
        """This one: it never changes."""
        return self


class CurrentProviders:
    """The providers of the configuration in force. A reload replaces them; who took a `snapshot` before keeps those."""

    def __init__(self, providers: ConfiguredProviders) -> None:
        self._current = providers

    def provider_of(self, instance: Instance) -> Provider:
        """As configured now."""
        return self._current.provider_of(instance)

    def find(self, instance_id: InstanceId) -> Provider | None:
        """As configured now."""
        return self._current.find(instance_id)

    def snapshot(self) -> ProviderDirectory:
        """Those of now."""
        return self._current

    def replace(self, providers: ConfiguredProviders) -> None:
        """Takes over those of another configuration."""
        self._current = providers


_conforms: type[ProviderDirectory] = ConfiguredProviders
_conforms_current: type[ProviderDirectory] = CurrentProviders

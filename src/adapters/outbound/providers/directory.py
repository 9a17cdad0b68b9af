"""Providers by instance."""

from collections.abc import Mapping

from application.ports.provider import Provider, ProviderDirectory
from domain.catalog import Instance
from domain.identifiers import InstanceId


class ConfiguredProviders:
    """The providers of a configuration.

    After a reload, those of the configuration before are still found, for the requests that began with it.
    """

    def __init__(self, providers: Mapping[InstanceId, Provider]) -> None:
        self._current = dict(providers)
        self._former: dict[InstanceId, Provider] = {}

    def provider_of(self, instance: Instance) -> Provider:
        """The provider. An instance of neither configuration is a LookupError: a fault in the wiring."""
        provider = self._current.get(instance.id) or self._former.get(instance.id)
        if provider is None:
            raise LookupError(f"no provider is configured for the instance {instance.id!r}")
        return provider

    def replace(self, providers: Mapping[InstanceId, Provider]) -> None:
        """Takes over a new configuration."""
        self._former, self._current = self._current, dict(providers)


_conforms: type[ProviderDirectory] = ConfiguredProviders

"""From an instance's settings to the adapter that calls its provider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx

from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.directory import ConfiguredProviders, CurrentProviders
from adapters.outbound.providers.echo import CAPABILITIES as ECHO
from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.presets import PRESETS
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.provider import Provider
from application.ports.randomness import Randomness
from bootstrap.client_dialects import speaking, with_dialects
from bootstrap.in_force import InForce
from bootstrap.settings.providers import AnyProviderSettings, AzureProvider, OpenAiProvider
from bootstrap.settings.providers import EchoProvider as EchoSettings
from bootstrap.translated_providers import TRANSLATED, revealed, translated_provider
from domain.catalog import Instance
from domain.identifiers import InstanceId

CAPABILITIES: Mapping[str, Capabilities] = {
    "echo": with_dialects(ECHO),
    **{name: with_dialects(preset.capabilities) for name, preset in PRESETS.items()},
    **{name: with_dialects(capabilities) for name, capabilities in TRANSLATED.items()},
}
"""What each built type of provider can do, with what this gateway makes of it."""


def instances_of(source: CatalogSource) -> Iterable[Instance]:
    """Those that are configured now."""
    return source.current()[0].all_instances()


def configured_providers(
    settings: Mapping[InstanceId, AnyProviderSettings],
    transport: httpx.AsyncBaseTransport,
    clock: Clock,
    randomness: Randomness,
) -> ConfiguredProviders:
    """One provider for each instance that can be called."""
    return ConfiguredProviders(
        {instance: _provider(entry, transport, clock, randomness) for instance, entry in settings.items()}
    )


@dataclass(frozen=True, slots=True)
class RebuildProviders:
    """The providers of another configuration: those that are configured as before are the same objects."""

    in_force: InForce
    current: CurrentProviders
    transport: httpx.AsyncBaseTransport
    clock: Clock
    randomness: Randomness

    def __call__(self, settings: Mapping[InstanceId, AnyProviderSettings]) -> ConfiguredProviders:
        """For instances with these settings."""
        before = self.in_force.configured.providers
        providers: dict[InstanceId, Provider] = {}
        for instance, entry in settings.items():
            kept = self.current.find(instance) if before.get(instance) == entry else None
            providers[instance] = kept or _provider(entry, self.transport, self.clock, self.randomness)
        return ConfiguredProviders(providers)


def _provider(
    settings: AnyProviderSettings, transport: httpx.AsyncBaseTransport, clock: Clock, randomness: Randomness
) -> Provider:
    if isinstance(settings, EchoSettings):
        echo = EchoConfig(settings.delay_us, settings.fail_rate, settings.fail_status, settings.stop_after)
        return speaking(EchoProvider(echo, clock, randomness), settings.type, frozenset())
    translated = translated_provider(settings, transport, clock)
    if translated is not None:
        return speaking(translated, settings.type, TRANSLATED[settings.type].native)
    config = _openai_compatible(settings)
    return speaking(OpenAICompatibleProvider(config, transport), settings.type, config.native)


def _openai_compatible(settings: AnyProviderSettings) -> OpenAICompatibleConfig:
    azure = settings if isinstance(settings, AzureProvider) else None
    openai = settings if isinstance(settings, OpenAiProvider) else None
    base_url = settings.base_url or (azure.endpoint if azure else "")
    return OpenAICompatibleConfig(
        preset=settings.type,
        base_url=base_url or None,
        api_key=settings.api_key.get_secret_value() or None,
        headers=revealed(settings.headers),
        organization=(openai.organization or None) if openai else None,
        project=(openai.project or None) if openai else None,
        api_version=azure.api_version if azure else None,
        deployment=azure.deployment if azure else None,
        responses=settings.has_responses or None,
    )

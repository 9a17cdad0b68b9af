"""From settings to the adapters of providers that speak a dialect of their own."""

from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.dialect import AnthropicDialect
from adapters.outbound.providers.anthropic.native import AnthropicProvider as AnthropicMessages
from adapters.outbound.providers.anthropic.request import CAPABILITIES as ANTHROPIC
from adapters.outbound.providers.bedrock.config import BedrockConfig
from adapters.outbound.providers.bedrock.dialect import BedrockDialect
from adapters.outbound.providers.bedrock.request import CAPABILITIES as BEDROCK
from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.cohere.dialect import CohereConfig, CohereDialect
from adapters.outbound.providers.cohere.reranking import reranking
from adapters.outbound.providers.cohere.words import CAPABILITIES as COHERE
from adapters.outbound.providers.forwarding.forwarding_provider import ForwardingProvider
from adapters.outbound.providers.gemini.access_token import TokenSource
from adapters.outbound.providers.gemini.config import GeminiConfig, VertexConfig
from adapters.outbound.providers.gemini.dialect import GEMINI, VERTEX, GeminiDialect, VertexDialect
from adapters.outbound.providers.gemini.google_credentials import GoogleCredentials
from adapters.outbound.providers.translated_provider import TranslatedProvider
from application.ports.clock import Clock
from application.ports.provider import Provider
from bootstrap.settings.providers import (
    AnthropicProvider,
    AnyProviderSettings,
    BedrockProvider,
    CohereProvider,
    GeminiProvider,
    VertexProvider,
)
from domain.chat import Endpoint

TRANSLATED: Mapping[str, Capabilities] = {each.name: each for each in (ANTHROPIC, BEDROCK, COHERE, GEMINI, VERTEX)}
"""What each such type can do."""


def translated_provider(
    settings: AnyProviderSettings, transport: httpx.AsyncBaseTransport, clock: Clock
) -> Provider | None:
    """The adapter; None for a type that speaks OpenAI's dialect."""
    match settings:
        case AnthropicProvider():
            config = _anthropic(settings)
            return AnthropicMessages(config, transport, TranslatedProvider(AnthropicDialect(config), transport, clock))
        case BedrockProvider():
            bedrock = BedrockDialect(_bedrock(settings))
            return TranslatedProvider(bedrock, transport, clock, bedrock, bedrock)
        case CohereProvider():
            cohere = CohereDialect(_cohere(settings))
            translated = TranslatedProvider(cohere, transport, clock, cohere)
            return ForwardingProvider(translated, reranking(_cohere(settings), transport), {Endpoint.RERANK})
        case GeminiProvider():
            gemini = GeminiDialect(_gemini(settings))
            return TranslatedProvider(gemini, transport, clock, gemini, gemini)
        case VertexProvider():
            vertex = VertexDialect(place := _vertex(settings), _tokens(place, transport, clock))
            return TranslatedProvider(vertex, transport, clock, vertex, vertex)
        case _:
            return None


def _tokens(config: VertexConfig, transport: httpx.AsyncBaseTransport, clock: Clock) -> TokenSource:
    """Its credentials are read when they are first needed."""
    return TokenSource(GoogleCredentials(config.credentials_file, transport).fetch, clock)


def _anthropic(settings: AnthropicProvider) -> AnthropicConfig:
    return AnthropicConfig(settings.base_url, settings.api_key.get_secret_value() or None, revealed(settings.headers))


def _bedrock(settings: BedrockProvider) -> BedrockConfig:
    return BedrockConfig(
        region=settings.region,
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value(),
        access_key_id=settings.access_key_id.get_secret_value(),
        secret_access_key=settings.secret_access_key.get_secret_value(),
        session_token=settings.session_token.get_secret_value(),
        profile=settings.profile,
        headers=revealed(settings.headers),
    )


def _cohere(settings: CohereProvider) -> CohereConfig:
    return CohereConfig(
        api_key=settings.api_key.get_secret_value() or None,
        base_url=settings.base_url,
        headers=revealed(settings.headers),
    )


def _gemini(settings: GeminiProvider) -> GeminiConfig:
    return GeminiConfig(settings.base_url, settings.api_key.get_secret_value(), revealed(settings.headers))


def _vertex(settings: VertexProvider) -> VertexConfig:
    return VertexConfig(
        settings.project,
        settings.location,
        settings.base_url,
        settings.api_key.get_secret_value(),
        settings.credentials_file,
        revealed(settings.headers),
    )


def revealed(headers: Mapping[str, SecretStr]) -> dict[str, str]:
    """The headers as they are sent."""
    return {name: value.get_secret_value() for name, value in headers.items()}

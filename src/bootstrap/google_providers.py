"""From the settings of `gemini` and `vertex` to the adapters that call them."""

from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from adapters.outbound.providers.gemini.access_token import TokenSource
from adapters.outbound.providers.gemini.config import GeminiConfig, VertexConfig
from adapters.outbound.providers.gemini.dialect import GeminiDialect, VertexDialect
from adapters.outbound.providers.gemini.google_credentials import GoogleCredentials
from adapters.outbound.providers.translated_provider import TranslatedProvider
from application.ports.clock import Clock
from bootstrap.settings.providers import GeminiProvider, VertexProvider


def gemini_provider(
    settings: GeminiProvider, transport: httpx.AsyncBaseTransport, clock: Clock
) -> TranslatedProvider[bytes]:
    """The Gemini API."""
    config = GeminiConfig(settings.base_url, settings.api_key.get_secret_value(), _revealed(settings.headers))
    dialect = GeminiDialect(config)
    return TranslatedProvider(dialect, transport, clock, dialect)


def vertex_provider(
    settings: VertexProvider, transport: httpx.AsyncBaseTransport, clock: Clock
) -> TranslatedProvider[bytes]:
    """Vertex AI. Its credentials are read when they are first needed."""
    config = VertexConfig(
        settings.project,
        settings.location,
        settings.base_url,
        settings.api_key.get_secret_value(),
        settings.credentials_file,
        _revealed(settings.headers),
    )
    credentials = GoogleCredentials(config.credentials_file, transport)
    dialect = VertexDialect(config, TokenSource(credentials.fetch, clock))
    return TranslatedProvider(dialect, transport, clock, dialect)


def _revealed(headers: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in headers.items()}

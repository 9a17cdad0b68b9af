"""Where an instance of an OpenAI-compatible provider is, and what opens it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import httpx

from adapters.outbound.providers.addresses import raw_headers, redactor_of, refuse_unusable, usual_headers
from adapters.outbound.providers.presets import PRESETS, Auth, Paths, Preset
from domain.chat import Endpoint
from domain.redaction import Redactor

_OPERATIONS: Final = {
    Endpoint.CHAT: "chat/completions",
    Endpoint.COMPLETIONS: "completions",
    Endpoint.EMBEDDINGS: "embeddings",
    Endpoint.RESPONSES: "responses",
    Endpoint.MODERATIONS: "moderations",
    Endpoint.IMAGES: "images/generations",
    Endpoint.TRANSCRIPTIONS: "audio/transcriptions",
    Endpoint.TRANSLATIONS: "audio/translations",
    Endpoint.SPEECH: "audio/speech",
    Endpoint.RERANK: "rerank",
}
_AZURE_API_VERSION: Final = "2024-10-21"
_AZURE_RESPONSES_SINCE: Final = "2025-03-01"
_AZURE_ASKS_USAGE_SINCE: Final = "2024-09-01"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class OpenAICompatibleConfig:
    """One instance's way to its provider. Its secrets stay out of its representation.

    Attributes:
        preset: A name of `PRESETS`.
        base_url: None for the preset's own; Azure's is the resource's endpoint.
        headers: Sent with every request; they win over what would be sent otherwise.
        deployment: Azure's; None where it is called as the model is.
        responses: It has `/responses` itself; None where its preset knows.
        ask_stream_usage: Overrides the preset's rule for `stream_options.include_usage`.

    Raises:
        ValueError: The preset is unknown, the URL is missing or none, or a header cannot be sent.
    """

    preset: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    organization: str | None = None
    project: str | None = None
    api_version: str | None = None
    deployment: str | None = None
    responses: bool | None = None
    ask_stream_usage: bool | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"unknown provider type {self.preset!r}: expected one of {', '.join(PRESETS)}")
        base = self.base_url or self.rules.base_url
        if base is None:
            raise ValueError(f"a provider of type {self.preset!r} needs its base_url")
        refuse_unusable(self.preset, base, self._all_headers())

    @property
    def rules(self) -> Preset:
        """What is special about this kind of provider."""
        return PRESETS[self.preset]

    @property
    def native(self) -> frozenset[Endpoint]:
        """Endpoints that it has itself."""
        has_responses = self.responses
        if has_responses is None and self.rules.paths is Paths.AZURE:
            has_responses = self._azure_is_from(_AZURE_RESPONSES_SINCE)
        if has_responses is None:
            return self.rules.native
        responses = frozenset({Endpoint.RESPONSES})
        return self.rules.native | responses if has_responses else self.rules.native - responses

    def url(self, endpoint: Endpoint, upstream_model: str) -> httpx.URL:
        """Where `endpoint` of a model is."""
        base = (self.base_url or self.rules.base_url or "").rstrip("/")
        operation = _OPERATIONS[endpoint]
        if self.rules.paths is Paths.OPENAI:
            return httpx.URL(f"{base}/{operation}")
        version = quote(self.api_version or _AZURE_API_VERSION, safe="")
        if endpoint is Endpoint.RESPONSES:  # beside the deployments: the model in the body says which
            return httpx.URL(f"{base.removesuffix('/openai')}/openai/{operation}?api-version={version}")
        deployment = quote(self.deployment or upstream_model, safe="")
        path = f"openai/deployments/{deployment}/{operation}?api-version={version}"
        return httpx.URL(f"{base.removesuffix('/openai')}/{path}")

    def check_url(self) -> httpx.URL:
        """Where its models are listed: an answer from there costs nothing."""
        base = (self.base_url or self.rules.base_url or "").rstrip("/")
        if self.rules.paths is Paths.OPENAI:
            return httpx.URL(f"{base}/models")
        version = quote(self.api_version or _AZURE_API_VERSION, safe="")
        return httpx.URL(f"{base.removesuffix('/openai')}/openai/models?api-version={version}")

    def request_headers(self, accept: str) -> tuple[tuple[bytes, bytes], ...]:
        """All headers of a request but its id and its length."""
        return raw_headers(usual_headers(accept), self._all_headers())

    def asks_stream_usage(self, fields: Mapping[str, object]) -> bool:
        """Whether a stream may be asked for its usage although the client did not ask."""
        if self.ask_stream_usage is not None:
            return self.ask_stream_usage
        if self.rules.paths is Paths.AZURE:
            # "On your data" refuses the option.
            return self._azure_is_from(_AZURE_ASKS_USAGE_SINCE) and "data_sources" not in fields
        return self.rules.asks_stream_usage

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        return redactor_of(self.base_url or "", (self.api_key or "",), self.headers)

    def _azure_is_from(self, date: str) -> bool:
        """Whether its version is of that day or later; one without a date is the newest."""
        dated = _DATE.match(self.api_version or _AZURE_API_VERSION)
        return dated is None or dated[0] >= date

    def _all_headers(self) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        if self.api_key:
            bearer = self.rules.auth is Auth.BEARER
            headers.append((self.rules.auth.value, f"Bearer {self.api_key}" if bearer else self.api_key))
        if self.organization:
            headers.append(("openai-organization", self.organization))
        if self.project:
            headers.append(("openai-project", self.project))
        return headers + list(self.headers.items())

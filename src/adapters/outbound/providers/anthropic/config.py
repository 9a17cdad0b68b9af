"""Where an instance of Anthropic's API is, and what opens it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from adapters.outbound.providers.addresses import raw_headers, redactor_of, refuse_unusable, usual_headers
from domain.redaction import Redactor

_HOME: Final = "https://api.anthropic.com"
_VERSION: Final = "2023-06-01"


@dataclass(frozen=True, slots=True)
class AnthropicConfig:
    """One instance's way to its provider. Its secrets stay out of its representation.

    Attributes:
        base_url: With or without the final `/v1`.
        headers: Sent with every request; they win over what would be sent otherwise, `anthropic-version` too.

    Raises:
        ValueError: The URL is none, or a header cannot be sent.
    """

    base_url: str = _HOME
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        refuse_unusable("anthropic", self.base_url, self._all_headers())

    def url(self, path: str) -> httpx.URL:
        """Where `path` of the API's first version is."""
        return httpx.URL(f"{self.base_url.rstrip('/').removesuffix('/v1')}/v1/{path}")

    def request_headers(self, accept: str) -> tuple[tuple[bytes, bytes], ...]:
        """All headers of a request but its id and its length."""
        usual = usual_headers(accept) | {"anthropic-version": _VERSION}
        return raw_headers(usual, self._all_headers())

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        address = "" if self.base_url == _HOME else self.base_url
        return redactor_of(address, (self.api_key or "",), self.headers)

    def _all_headers(self) -> list[tuple[str, str]]:
        key = [("x-api-key", self.api_key)] if self.api_key else []
        return [*key, *self.headers.items()]

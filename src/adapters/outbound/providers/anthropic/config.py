"""Where an instance of Anthropic's API is, and what opens it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from domain.redaction import Redactor

_HOME: Final = "https://api.anthropic.com"
_VERSION: Final = "2023-06-01"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]*")


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
        url = httpx.URL(self.base_url)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("base_url of a provider of type 'anthropic' must be an http(s) URL")
        if url.userinfo:
            raise ValueError("base_url must not hold a credential: use api_key or headers")
        for name, value in self._all_headers():
            if _HEADER_NAME.fullmatch(name) is None or _HEADER_VALUE.fullmatch(value) is None:
                raise ValueError(f"header {name!r} of a provider of type 'anthropic' holds unsendable characters")

    def url(self, path: str) -> httpx.URL:
        """Where `path` of the API's first version is."""
        return httpx.URL(f"{self.base_url.rstrip('/').removesuffix('/v1')}/v1/{path}")

    def request_headers(self, accept: str) -> tuple[tuple[bytes, bytes], ...]:
        """All headers of a request but its id and its length."""
        usual = {
            "accept": accept,
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "moongate",
            "anthropic-version": _VERSION,
        }
        merged = usual | {name.lower(): value for name, value in self._all_headers()}
        return tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in merged.items())

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        host = "" if self.base_url == _HOME else httpx.URL(self.base_url).netloc.decode("ascii")
        # Whoever repeats a header's credential leaves out its scheme.
        bare = (value.rpartition(" ")[2] for value in self.headers.values())
        return Redactor((self.api_key or "", *self.headers.values(), *bare, host))

    def _all_headers(self) -> list[tuple[str, str]]:
        key = [("x-api-key", self.api_key)] if self.api_key else []
        return [*key, *self.headers.items()]

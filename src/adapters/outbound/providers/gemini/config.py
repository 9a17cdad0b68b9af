"""Where an instance of Google's models is, and what opens it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import httpx

from adapters.outbound.providers.addresses import RawHeader, raw_headers, redactor_of, refuse_unusable, usual_headers
from domain.redaction import Redactor

GEMINI_BASE_URL: Final = "https://generativelanguage.googleapis.com"

_KEY_HEADER: Final = "x-goog-api-key"
_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_VERSION: Final = re.compile(r"/v1(?:alpha\d*|beta\d*)?$")


@dataclass(frozen=True, slots=True)
class GeminiConfig:
    """One instance's way to the Gemini API. Its secrets stay out of its representation.

    Attributes:
        headers: Sent with every request; they win over what would be sent otherwise.

    Raises:
        ValueError: The URL is none, or a header can't be sent.
    """

    base_url: str = GEMINI_BASE_URL
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        refuse_unusable("gemini", self.base_url, _own_headers(self.api_key, self.headers).items())

    def url(self, model: str, verb: str) -> httpx.URL:
        """Where a model does that. A name with a slash (`tunedModels/…`) is a resource's."""
        return httpx.URL(f"{self._root}/{quote(self.resource(model))}:{verb}")

    def check_url(self) -> httpx.URL:
        """Where its models are listed: an answer from there costs nothing."""
        return httpx.URL(f"{self._root}/models?pageSize=1")

    @staticmethod
    def resource(model: str) -> str:
        """The name of the model's resource."""
        return model if "/" in model else f"models/{model}"

    def request_headers(self, accept: str) -> tuple[RawHeader, ...]:
        """All headers of a request but its id and its length."""
        return raw_headers(usual_headers(accept), _own_headers(self.api_key, self.headers).items())

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        address = "" if self.base_url == GEMINI_BASE_URL else self.base_url
        return redactor_of(address, (self.api_key,), self.headers)

    @property
    def _root(self) -> str:
        base = self.base_url.rstrip("/")
        return base if _VERSION.search(base) else f"{base}/v1beta"


@dataclass(frozen=True, slots=True)
class VertexConfig:
    """One instance's way to Vertex AI. Its secrets stay out of its representation.

    Attributes:
        base_url: In place of the location's own host; empty for that one.
        api_key: In place of a token.
        credentials_file: A service account's key, or a user's; empty for the machine's own credentials.

    Raises:
        ValueError: The URL is none, a header can't be sent, or project or location can't be part of a URL.
    """

    project: str
    location: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    credentials_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if re.fullmatch(r"[a-z0-9-]+", self.location) is None:
            raise ValueError("location of a provider of type 'vertex' must be a region of Google Cloud, or 'global'")
        refuse_unusable("vertex", self._host, _own_headers(self.api_key, self.headers).items())

    @property
    def wants_token(self) -> bool:
        """Whether neither a key nor a header of the operator's opens it."""
        return not self.api_key and not any(name.lower() == "authorization" for name in self.headers)

    def url(self, model: str, verb: str) -> httpx.URL:
        """Where a model does that. A name with a slash (`endpoints/…`, `publishers/…`) is a resource's."""
        resource = model if "/" in model else f"publishers/google/models/{model}"
        if not resource.startswith("projects/"):
            resource = f"projects/{self.project}/locations/{self.location}/{resource}"
        return httpx.URL(f"{self._host}/v1/{quote(resource)}:{verb}")

    def check_url(self) -> httpx.URL:
        """Where Google's models are listed: an answer from there costs nothing."""
        return httpx.URL(f"{self._host}/v1beta1/publishers/google/models?pageSize=1")

    def request_headers(self, accept: str) -> tuple[RawHeader, ...]:
        """All headers of a request but the token, its id and its length."""
        return raw_headers(usual_headers(accept), _own_headers(self.api_key, self.headers).items())

    def redactor(self, *more: str) -> Redactor:
        """Takes this instance's own secrets and address, and `more` secrets, out of its provider's words."""
        return redactor_of(self.base_url, (self.api_key, *more), self.headers)

    @property
    def _host(self) -> str:
        if self.base_url:
            return self.base_url.rstrip("/").removesuffix("/v1")
        if self.location == "global":
            return "https://aiplatform.googleapis.com"
        if self.location in _MULTI_REGIONS:
            return f"https://aiplatform.{self.location}.rep.googleapis.com"
        return f"https://{self.location}-aiplatform.googleapis.com"


def _own_headers(api_key: str, headers: Mapping[str, str]) -> dict[str, str]:
    key = {_KEY_HEADER: api_key} if api_key else {}
    return key | {name.lower(): value for name, value in headers.items()}

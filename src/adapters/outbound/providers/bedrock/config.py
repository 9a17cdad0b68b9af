"""Where an instance of Bedrock is, and what opens it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import httpx

from adapters.outbound.providers.addresses import ASCII, redactor_of, refuse_unusable, usual_headers
from adapters.outbound.providers.bedrock.credentials import Credentials, GivenKeys, Keys, MachineKeys
from domain.redaction import Redactor

_REGION: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_HOST: Final = re.compile(r"\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?(?:api\.aws|amazonaws\.com)")
# For a server that is not AWS and believes any region.
_ANY_REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class BedrockConfig:
    """One instance's way to Bedrock. Its secrets stay out of its representation.

    Attributes:
        region: Empty where `base_url` tells it.
        base_url: Empty for the region's own address.
        api_key: A Bedrock API key, sent as it is; it wins over keys that sign.
        access_key_id, secret_access_key, session_token: Keys that sign; empty for the machine's own.
        profile: Of the machine's AWS configuration; empty for its default chain.
        headers: Sent with every request; they win over what would be sent otherwise.

    Raises:
        ValueError: There is no address, or something can't be sent.
    """

    region: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    profile: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.region and _REGION.fullmatch(self.region) is None:
            raise ValueError(f"{self.region!r} is no region of AWS")
        if not self.region and not self.base_url:
            raise ValueError("a provider of type 'bedrock' needs its region")
        refuse_unusable("bedrock", self.address, {**self.headers, "authorization": self.api_key}.items(), ASCII)

    @property
    def address(self) -> str:
        """Without a slash at its end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        china = ".cn" if self.region.startswith("cn-") else ""
        return f"https://bedrock-runtime.{self.region}.amazonaws.com{china}"

    @property
    def signing_region(self) -> str:
        """The region in the signature."""
        told = _HOST.search(self.address)
        return self.region or (told[1] if told else _ANY_REGION)

    def url(self, model: str, operation: str) -> httpx.URL:
        """Where an operation of a model is: ids may hold colons, ARNs slashes, too."""
        return httpx.URL(f"{self.address}/model/{quote(model, safe='-_.~')}/{operation}")

    def check_url(self) -> httpx.URL:
        """Where asynchronous invocations are listed: the one thing on this host that costs nothing to ask."""
        return httpx.URL(f"{self.address}/async-invoke?maxResults=1")

    def request_headers(self, accept: str) -> dict[str, str]:
        """All headers of a request but its signature, its id and its length, in lower case."""
        usual = usual_headers(accept)
        if self.api_key:
            usual["authorization"] = f"Bearer {self.api_key}"
        return usual | {name.lower(): value for name, value in self.headers.items()}

    def credentials(self) -> Credentials | None:
        """What signs; None where the headers hold a credential already."""
        if "authorization" in self.request_headers(""):
            return None
        if self.access_key_id:
            return GivenKeys(Keys(self.access_key_id, self.secret_access_key, self.session_token or None))
        return MachineKeys(self.profile)

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        secrets = (self.api_key, self.access_key_id, self.secret_access_key, self.session_token)
        return redactor_of(self.base_url, secrets, self.headers)

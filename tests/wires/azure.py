"""Azure OpenAI: OpenAI's documents at the paths of deployments."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote

from tests.wires import openai_request
from tests.wires.openai import OpenAIWire
from tests.wires.wire import Heard, WireRequest


class AzureWire(OpenAIWire):
    """Source: Azure OpenAI REST API reference, "Chat completions - Create" (2024-10-21)."""

    name: ClassVar[str] = "azure"
    version: ClassVar[str] = "2024-10-21"

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The resource's endpoint, and the deployment."""
        return {
            "type": self.name,
            "deployment": model,
            "api_key": self.key,
            "endpoint": base_url,
            "api_version": self.version,
        }

    def hear(self, request: WireRequest) -> Heard:
        """The path names the deployment; the body may repeat it."""
        head, _, operation = request.path.partition("/openai/deployments/")
        deployment, _, operation = operation.partition("/")
        if (request.method, operation) != ("POST", "chat/completions"):
            raise ValueError(f"no chat request: {request.method} {head}{request.path}")
        if request.query != f"api-version={self.version}":
            raise ValueError(f"another version is asked for: {request.query}")
        self.check_headers(request.headers)
        return openai_request.heard(request.body, model=unquote(deployment))

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """A key has a header of its own: the usual one is for tokens."""
        if headers.get("api-key") != self.key or "authorization" in headers:
            raise ValueError("the key does not stand in the api-key header")

"""AWS's signature, version 4, over exactly what is sent."""

from collections.abc import Mapping
from typing import Final

import httpx

from adapters.outbound.providers.bedrock.credentials import Keys
from adapters.outbound.providers.dialect import Operation

_SERVICE: Final = "bedrock"
_SIGNED: Final = frozenset({"host", "content-type"})


class Signer:
    """Signs for one region."""

    __slots__ = ("_auth", "_region", "_request")

    def __init__(self, region: str) -> None:
        """Loads botocore's part of it: here, so that the first request need not."""
        from botocore.auth import SigV4Auth  # type: ignore[import-untyped]  # noqa: PLC0415 - only Bedrock needs it
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

        self._region = region
        self._auth = SigV4Auth
        self._request = AWSRequest

    def signed(self, operation: Operation, headers: Mapping[str, str], keys: Keys) -> dict[str, str]:
        """`headers` (in lower case) with the signature over the host, the path, the query, the body, and AWS's own.

        What a proxy may rewrite and what the transport adds (the request's id, the body's length) is not part of it.
        """
        sent = {"host": host_of(operation.url), **headers}
        signed = {name: value for name, value in sent.items() if name in _SIGNED or name.startswith("x-amz-")}
        request = self._request(operation.method, str(operation.url), signed, operation.body or b"")
        self._auth(keys, _SERVICE, self._region).add_auth(request)
        return sent | {name.lower(): str(value) for name, value in request.headers.items()}


def host_of(url: httpx.URL) -> str:
    """As it is sent: without a default port."""
    return url.netloc.decode("ascii")

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from application.gateway_request import GatewayRequest
from application.ports.fingerprint import Fingerprint
from domain.caching import CacheScope, canonical_request, target_of
from domain.catalog import Catalog, Resolved

_PURPOSE = {"purpose": "response cache"}
_IN_PLACE_BYTES = 32_768
"""A body of that size is told its name in about a millisecond; larger ones are in a thread meanwhile."""

LARGEST_NAMED_BYTES = 262_144
"""Naming takes up to a quarter of a second for each megabyte: larger requests are not cached."""

Pepper = Callable[[], Awaitable[bytes]]


class Place(NamedTuple):
    """Where a reply is kept."""

    scope: str
    key: str


class CacheKeys:
    """Names what requests ask, so that equal ones meet, and nobody meets another tenant's."""

    def __init__(self, fingerprint: Fingerprint, pepper: Pepper) -> None:
        self._fingerprint = fingerprint
        self._pepper = pepper
        self._secret: bytes | None = None
        # One at a time: naming holds the interpreter, and the loop has to come in between.
        self._apart = ThreadPoolExecutor(1, "naming")

    async def place_of(
        self, request: GatewayRequest, scope: CacheScope, catalog: Catalog, resolved: Resolved
    ) -> Place | None:
        """Where the reply to `request` is, or goes; None where the request can't be named.

        Raises:
            StateUnavailable: The secret that the fleet shares is out of reach.
        """
        if len(request.llm.body) > LARGEST_NAMED_BYTES:
            return None
        secret = self._secret or await self._share_secret()
        name = scope.name_of(request.caller)
        tags = request.caller.tags | request.tags
        document = canonical_request(request.llm, scope, name, target_of(catalog, resolved), tags)
        if len(request.llm.body) <= _IN_PLACE_BYTES:
            key = self._fingerprint.name_of(secret, document)
        else:
            loop = asyncio.get_running_loop()
            key = await loop.run_in_executor(self._apart, self._fingerprint.name_of, secret, document)
        return None if key is None else Place(name, key)

    async def key_of(self, *parts: str) -> str:
        """A name for texts that are not to be read from it. Raises StateUnavailable."""
        named = self._fingerprint.name_of(self._secret or await self._share_secret(), {"parts": list(parts)})
        if named is None:
            raise ValueError("texts always have a name")
        return named

    async def _share_secret(self) -> bytes:
        named = self._fingerprint.name_of(await self._pepper(), _PURPOSE)
        self._secret = bytes.fromhex(named or "")
        return self._secret

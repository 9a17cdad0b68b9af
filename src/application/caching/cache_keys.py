import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import NamedTuple

from application.gateway_request import GatewayRequest
from application.ports.fingerprint import Fingerprint
from domain.caching import CacheScope, canonical_request, target_of
from domain.catalog import Catalog, Resolved
from domain.chat import Endpoint

_PURPOSE = {"purpose": "response cache"}
_IN_PLACE_BYTES = 32_768
"""A body of that size is told its name in about a millisecond; larger ones are in a thread meanwhile."""

LARGEST_NAMED_BYTES = 262_144
"""Naming takes up to a quarter of a second for each megabyte: larger requests are not cached."""

_MOST_KNOWN = 4_096
"""Some megabytes at most. Who asks the same again mostly spells it the same: that has its name already."""

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
        self._catalog: Catalog | None = None
        self._known: dict[_Asked, Place] = {}

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
        if catalog is not self._catalog:  # the names it gives to what serves them may have changed
            self._catalog, self._known = catalog, {}
        asked = _asked(request, scope, resolved)
        known = self._known.get(asked)
        if known is not None:
            return known
        document = canonical_request(request.llm, scope, asked.scope_name, target_of(catalog, resolved), asked.tags)
        if len(request.llm.body) <= _IN_PLACE_BYTES:
            key = self._fingerprint.name_of(secret, document)
        else:
            loop = asyncio.get_running_loop()
            key = await loop.run_in_executor(self._apart, self._fingerprint.name_of, secret, document)
        if key is None:
            return None
        place = Place(asked.scope_name, key)
        if catalog is self._catalog:  # not where another has come while the thread was at work
            self._remember(asked, place)
        return place

    async def key_of(self, *parts: str) -> str:
        """A name for texts that are not to be read from it. Raises StateUnavailable."""
        named = self._fingerprint.name_of(self._secret or await self._share_secret(), {"parts": list(parts)})
        if named is None:
            raise ValueError("texts always have a name")
        return named

    def _remember(self, asked: "_Asked", place: Place) -> None:
        self._known[asked] = place
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def _share_secret(self) -> bytes:
        named = self._fingerprint.name_of(await self._pepper(), _PURPOSE)
        self._secret = bytes.fromhex(named or "")
        return self._secret


class _Asked(NamedTuple):
    """What tells two requests apart for one catalog, but for how their bodies are spelt."""

    scope_name: str
    endpoint: Endpoint
    model: str
    target: str | None
    tags: frozenset[str]
    body: bytes


def _asked(request: GatewayRequest, scope: CacheScope, resolved: Resolved) -> _Asked:
    llm, target = request.llm, resolved.model if resolved.route is None else resolved.route.slug
    tags = request.caller.tags | request.tags if request.tags else request.caller.tags
    return _Asked(scope.name_of(request.caller), llm.endpoint, llm.model, target, tags, sha256(llm.body).digest())

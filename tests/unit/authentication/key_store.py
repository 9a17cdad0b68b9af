"""A store of keys in memory that can be away, and that can hold an answer back after it has read it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.testing.virtual_time import ManualClock
from application.authentication.key_authenticator import KeyAuthenticator
from application.authentication.key_cache import KeyCache
from application.authentication.key_lookup import KeyLookup
from application.authentication.key_pepper import KeyPepper
from application.change_feed import ChangeFeed
from application.errors import StateUnavailable
from application.ports.clock import Clock
from domain.audit import AuditEntry
from domain.grant import Grant
from domain.keys import digest, mint, shown_prefix
from domain.limits.limit import Algorithm
from domain.pages import Page
from domain.virtual_key import KeyId, VirtualKey

MASTER_KEY = "mg_master_contract"
PEPPER = "a pepper of more than 16 bytes"


def secret(number: int) -> str:
    """A well-formed key, another one for each number."""
    return mint(number).text


def key_of(text: str, key_id: str = "K") -> VirtualKey:
    """As it is stored."""
    stored = digest(PEPPER.encode(), text)
    return VirtualKey(id=KeyId(key_id), name="ci", prefix=shown_prefix(text), digest=stored, created_at_us=0)


@dataclass
class FakeKeyStore:
    """Keyring, AuditLog, Kept and Secrets in one."""

    grants: dict[bytes, Grant] = field(default_factory=dict)
    log: list[AuditEntry] = field(default_factory=list)
    named: dict[str, bytes] = field(default_factory=dict)
    away: bool = False
    lookups: int = 0
    questions: int = 0
    held: asyncio.Event | None = None
    read: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, grant: Grant, target: str | None = None) -> None:
        """Stores it, and says so in the log."""
        self.grants[grant.key.digest] = grant
        self.note(target or f"key:{grant.key.id}")

    def note(self, target: str) -> None:
        revision = self.log[-1].revision + 1 if self.log else 1
        self.log.append(AuditEntry(revision, 0, "tests", "some.change", target, None, None))

    def revoke(self, text: str) -> None:
        grant = self.grants[digest(PEPPER.encode(), text)]
        self.put(replace(grant, key=replace(grant.key, revoked_at_us=1)))

    async def grant_of(self, digest: bytes) -> Grant | None:
        self.lookups += 1
        self._answer()
        found = self.grants.get(digest)
        self.read.set()
        if self.held is not None:
            await self.held.wait()
        return found

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        raise NotImplementedError

    async def since(self, revision: int, limit: int) -> Sequence[AuditEntry]:
        self.questions += 1
        self._answer()
        return [entry for entry in self.log if entry.revision > revision][:limit]

    async def latest(self) -> int:
        self._answer()
        return self.log[-1].revision if self.log else 0

    async def first(self, name: str, proposal: bytes) -> bytes:
        self._answer()
        return self.named.setdefault(name, proposal)

    def secret_bits(self, count: int) -> int:
        return (1 << count) - 1

    def _answer(self) -> None:
        if self.away:
            raise StateUnavailable("the test says so")


@dataclass
class Gateway:
    """What one process has for its keys."""

    store: FakeKeyStore
    clock: Clock
    cache: KeyCache
    feed: ChangeFeed
    authenticator: KeyAuthenticator

    async def id_of(self, credential: str | None) -> str | None:
        """The id of the caller; None for nobody."""
        caller = await self.authenticator.authenticate(credential)
        return None if caller is None else caller.id


def gateway(
    store: FakeKeyStore,
    clock: Clock | None = None,
    cache: KeyCache | None = None,
    *,
    pepper: str = PEPPER,
    require_auth: bool = True,
) -> Gateway:
    clock = clock or ManualClock()
    cache = cache or KeyCache(clock)
    feed = ChangeFeed(store, clock, [cache])
    keys = KeyLookup(store, KeyPepper(store, store, pepper), cache, feed, Algorithm.SLIDING_WINDOW)
    authenticator = KeyAuthenticator(MASTER_KEY, keys, clock, require_auth=require_auth)
    return Gateway(store, clock, cache, feed, authenticator)

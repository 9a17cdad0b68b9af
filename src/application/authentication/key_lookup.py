import asyncio
from functools import partial

from application.authentication.key_cache import KeyCache, KnownKey
from application.authentication.key_pepper import KeyPepper
from application.change_feed import SILENT_AFTER_US, ChangeFeed
from application.errors import StateUnavailable
from application.ports.keyring import Keyring
from domain.durations import SECOND_US
from domain.keys import digest, is_well_formed
from domain.limits.limit import Algorithm

KEPT_WHILE_AWAY_US = 300 * SECOND_US
"""So long are kept keys good while the store does not say what was changed."""

_UNKNOWN_WHILE_AWAY_US = SECOND_US
_READS = 3
_AWAY = "the store of keys does not answer now: try again later"


class KeyLookup:
    """Finds keys by what clients send: kept ones at once, others by one question to the store, however many wait.

    What nobody can have is refused without a question. While the store does not answer, kept keys go on for 300 s, and
    nothing is called unknown.
    """

    def __init__(
        self, keyring: Keyring, pepper: KeyPepper, cache: KeyCache, feed: ChangeFeed, algorithm: Algorithm
    ) -> None:
        self._keyring = keyring
        self._pepper = pepper
        self._cache = cache
        self._feed = feed
        self._algorithm = algorithm
        self._reading: dict[bytes, asyncio.Task[KnownKey | None]] = {}

    def reconfigure(self, algorithm: Algorithm) -> None:
        """Limits of keys are counted by this from now on, those of kept keys too."""
        if algorithm is not self._algorithm:
            self._algorithm = algorithm
            self._cache.recast(lambda grant: KnownKey(grant, grant.caller(algorithm)))

    def kept(self, fingerprint: bytes) -> KnownKey | None:
        """The key with that digest of the whole credential, where it was found before and nothing was changed since."""
        return self._cache.find(fingerprint) if self._feed.answered_within(KEPT_WHILE_AWAY_US) else None

    async def find(self, fingerprint: bytes, credential: str) -> KnownKey | None:
        """The key, as it stands now; None where it is none or nobody has it.

        Raises:
            StateUnavailable: The store does not answer, or not within 2 s: one that hangs looks busy at first.
        """
        if not is_well_formed(credential):
            return None
        if self._cache.is_unknown(fingerprint) and self._feed.answered_within(_UNKNOWN_WHILE_AWAY_US):
            return None
        if self._feed.is_silent:
            raise StateUnavailable(_AWAY)
        reading = self._reading.get(fingerprint)
        if reading is None:
            reading = asyncio.create_task(self._read(fingerprint, credential))
            self._reading[fingerprint] = reading
            reading.add_done_callback(partial(self._end, fingerprint))
        try:
            async with asyncio.timeout(SILENT_AFTER_US / SECOND_US):
                # A client that goes must not take the answer from the others.
                return await asyncio.shield(reading)
        except (StateUnavailable, TimeoutError):
            raise StateUnavailable(_AWAY) from None

    async def _read(self, fingerprint: bytes, credential: str) -> KnownKey | None:
        key_digest = digest(await self._pepper.value(), credential)
        known: KnownKey | None = None
        for _ in range(_READS):
            generation = self._cache.generation
            grant = await self._keyring.grant_of(key_digest)
            known = None if grant is None else KnownKey(grant, grant.caller(self._algorithm))
            # A change that was told meanwhile may be younger than what was read, and nobody would tell it again.
            if self._cache.keep(fingerprint, known, generation):
                break
        return known

    def _end(self, fingerprint: bytes, reading: asyncio.Task[KnownKey | None]) -> None:
        del self._reading[fingerprint]
        if not reading.cancelled():
            # Looked at here, because all who waited for it may be gone.
            reading.exception()

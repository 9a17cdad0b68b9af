from hashlib import sha256
from hmac import compare_digest

from application.authentication.key_lookup import KeyLookup
from application.ports.authenticator import Authenticator
from application.ports.clock import Clock
from domain.callers import Caller, CallerKind
from domain.tenants import Role


class KeyAuthenticator:
    """Knows the master key and the virtual keys. Where authentication is not required, all others are anonymous.

    The master key needs no store. Whether a key has expired is asked anew for every request.
    """

    def __init__(self, master_key: str, keys: KeyLookup, clock: Clock, *, require_auth: bool = True) -> None:
        if not master_key:
            raise ValueError("the master key is empty")
        self._master_fingerprint = _fingerprint(master_key)
        self._master = Caller(CallerKind.MASTER, "master", role=Role.ADMIN)
        self._keys = keys
        self._clock = clock
        self._stranger = None if require_auth else Caller(CallerKind.ANONYMOUS, "anonymous")

    async def authenticate(self, credential: str | None) -> Caller | None:
        """As the port says."""
        if credential is None:
            return self._stranger
        fingerprint = _fingerprint(credential)
        # Fingerprints have one length, so the comparison tells nothing of the master key's.
        if compare_digest(fingerprint, self._master_fingerprint):
            return self._master
        known = self._keys.kept(fingerprint)
        if known is None:
            known = await self._keys.find(fingerprint, credential)
        if known is None or not known.grant.is_valid(self._clock.now_us()):
            return self._stranger
        return known.caller


def _fingerprint(credential: str) -> bytes:
    """Of the whole credential: two that begin alike have nothing in common."""
    return sha256(credential.encode("utf-8", "surrogatepass")).digest()


_conforms: type[Authenticator] = KeyAuthenticator

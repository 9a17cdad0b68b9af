from hashlib import sha256
from hmac import compare_digest

from application.ports.authenticator import Authenticator
from domain.callers import Caller, CallerKind
from domain.tenants import Role


class MemoryAuthenticator:
    """Knows the master key. Where authentication is not required, a caller without a credential is anonymous."""

    def __init__(self, master_key: str, *, require_auth: bool = True) -> None:
        if not master_key:
            raise ValueError("the master key is empty")
        self._digest = sha256(master_key.encode()).digest()
        self._require_auth = require_auth
        self._master = Caller(CallerKind.MASTER, "master", role=Role.ADMIN)
        self._anonymous = Caller(CallerKind.ANONYMOUS, "anonymous")

    async def authenticate(self, credential: str | None) -> Caller | None:
        if credential is None:
            return None if self._require_auth else self._anonymous
        # Digests have one length, so the comparison tells nothing of the key's.
        presented = sha256(credential.encode("utf-8", "surrogateescape")).digest()
        if compare_digest(presented, self._digest):
            return self._master
        return None if self._require_auth else self._anonymous


_conforms: type[Authenticator] = MemoryAuthenticator

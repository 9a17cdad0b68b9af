from application.ports.kept import Kept
from application.ports.secrets import Secrets
from domain.keys import DIGEST_BYTES, LEAST_PEPPER_BYTES

_NAME = "key_pepper"


class KeyPepper:
    """The pepper of all key digests: the configured one, else one that the fleet made up once and keeps.

    Raises:
        ValueError: The configured one is shorter than 16 bytes.
    """

    def __init__(self, kept: Kept, secrets: Secrets, configured: str = "") -> None:
        self._kept = kept
        self._secrets = secrets
        self._value: bytes | None = configured.encode() or None
        if self._value is not None and len(self._value) < LEAST_PEPPER_BYTES:
            raise ValueError(f"expected a pepper of at least {LEAST_PEPPER_BYTES} bytes, found {len(self._value)}")

    async def value(self) -> bytes:
        """The pepper. Asked for until the store has answered once, and never again.

        Raises:
            StateUnavailable: It is not configured, and the store does not answer.
        """
        if self._value is None:
            proposal = self._secrets.secret_bits(DIGEST_BYTES * 8).to_bytes(DIGEST_BYTES, "big")
            self._value = await self._kept.first(_NAME, proposal)
        return self._value

import secrets

from application.ports.secrets import Secrets


class SystemSecrets:
    """The operating system's generator."""

    def secret_bits(self, count: int) -> int:
        return secrets.randbits(count)


_conforms: type[Secrets] = SystemSecrets

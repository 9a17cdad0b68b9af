from collections.abc import Mapping
from typing import Protocol


class Fingerprint(Protocol):
    """Names JSON documents so that nobody without the secret can make up, or find out, what a name stands for."""

    def name_of(self, secret: bytes, document: Mapping[str, object]) -> str | None:
        """64 hexadecimal digits, the same for documents that differ in the order of members or in spelling only.

        None where two documents that differ could look the same: integers beyond 2^53.
        """
        ...

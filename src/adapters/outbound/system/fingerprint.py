import hmac
from collections.abc import Mapping
from typing import Any, cast

import rfc8785

from application.ports.fingerprint import Fingerprint


class HmacFingerprint:
    """HMAC-SHA-256 of the canonical form of RFC 8785."""

    def name_of(self, secret: bytes, document: Mapping[str, object]) -> str | None:
        try:
            canonical = rfc8785.dumps(cast("Any", document))
        # Half a character in the name of a member fails when names are sorted, before it is found out.
        except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError):
            return None
        return hmac.digest(secret, canonical, "sha256").hex()


_conforms: type[Fingerprint] = HmacFingerprint

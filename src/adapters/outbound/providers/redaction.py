"""Takes out of a provider's words what a client must not see."""

import re
from collections.abc import Iterable
from typing import Final

MAX_MESSAGE_CHARACTERS: Final = 2_000
_SEARCHED_CHARACTERS: Final = 65_536
_MIN_SECRET_CHARACTERS: Final = 6
_MARK: Final = "[redacted]"

_CREDENTIAL: Final = re.compile(
    r"""
      \b(?:sk|gsk|xai|pplx|hf|gw|mg|ghp|r8)[-_][\w*.-]{6,}   # keys with a maker's prefix, masked ones too
    | \bAIza[\w-]{16,}                                     # Google
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                         # AWS
    | \beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?                  # JWT
    | \b(?i:bearer)\s+[\w.~+/=-]{8,}
    | \b(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}(?::\d+)?\b   # internal addresses
    """,
    re.VERBOSE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Redactor:
    """Cleans text from one instance's provider: its own secrets literally, others by their shape."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARACTERS)

    def clean(self, text: str) -> str:
        """One line without credentials, internal addresses and control characters, at most 2,000 characters."""
        # Searched far beyond what is kept, so that no secret is cut in half before it is found.
        text = text[:_SEARCHED_CHARACTERS]
        for secret in self._secrets:
            text = text.replace(secret, _MARK)
        text = _CREDENTIAL.sub(_MARK, text)
        return _CONTROL.sub(" ", text).strip()[:MAX_MESSAGE_CHARACTERS]

"""Takes credentials out of text: of what a provider says, before a client sees it, and of all that is logged."""

import json
import re
from collections.abc import Iterable
from typing import Final

MAX_MESSAGE_CHARACTERS: Final = 2_000
MARK: Final = "[redacted]"
_SEARCHED_CHARACTERS: Final = 65_536
_MIN_SECRET_CHARACTERS: Final = 6

_CREDENTIAL: Final = re.compile(
    r"""
      \b(?:sk|gsk|xai|pplx|hf|gw|mg|ghp|r8)[-_][\w*.-]{6,}   # keys with a maker's prefix, masked ones too
    | \bAIza[\w-]{16,}                                       # Google
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                           # AWS
    | \beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?                    # JWT
    | \b(?i:bearer)\s+[\w.~+/=-]{8,}
    | \bBasic\s+[A-Za-z0-9+/]{16,}={0,2}
    | (?<=://)[^\s/:@"'\\]*:[^\s/"'\\]+(?=@)               # the user and password of a URL
    | (?i:\b(?:authorization|api-key)["']?\s*[:=,]\s*b?["']?(?:bearer\s+|basic\s+)?)[\w.~+/=*-]{6,}
    """,
    re.VERBOSE,
)
# What every match holds, in lower case. Looking for these costs a twentieth of looking for the pattern.
_SIGNS: Final = (
    *(f"{maker}{mark}" for maker in ("sk", "xai", "pplx", "hf", "gw", "mg", "ghp", "r8") for mark in "-_"),
    *("aiza", "akia", "asia", "eyj", "bearer", "basic", "://", "authorization", "api-key"),
)
_INTERNAL_ADDRESS: Final = re.compile(
    r"\b(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}(?::\d+)?\b"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Redactor:
    """Knows some secrets literally, and others by their shape."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Takes these out, too, from now on. Shorter ones than six characters are too likely to be something else."""
        known = {way for secret in secrets if len(secret) >= _MIN_SECRET_CHARACTERS for way in _spellings(secret)}
        # A secret that holds another goes first, or its rest would stay.
        self._secrets = tuple(sorted(known | set(self._secrets), key=lambda secret: (-len(secret), secret)))

    def redact(self, text: str) -> str:
        """The text without credentials; all else, line breaks too, stays as it is."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MARK)
        lowered = text.lower()
        if any(sign in lowered for sign in _SIGNS):
            return _CREDENTIAL.sub(MARK, text)
        return text

    def clean(self, text: str) -> str:
        """One line without credentials, internal addresses and control characters, at most 2,000 characters."""
        # Searched far beyond what is kept, so that no secret is cut in half before it is found.
        text = _INTERNAL_ADDRESS.sub(MARK, self.redact(text[:_SEARCHED_CHARACTERS]))
        return _CONTROL.sub(" ", text).strip()[:MAX_MESSAGE_CHARACTERS]


def _spellings(secret: str) -> Iterable[str]:
    """How it reads in JSON, and in Python's own notation."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]

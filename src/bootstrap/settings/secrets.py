"""Every secret that the configuration holds, so that nothing that is said holds one."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr

from bootstrap.settings.root import Settings

_AUTHORITY_END = re.compile(r"[/?#]")
_OPENS = re.compile(r"[@?]")
_CREDENTIAL_NAME = re.compile(r"auth|key|token|secret|cookie|password|credential|signature", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z ,._-]{0,24}|https?://[^@?]*")


def secrets_of(settings: Settings) -> frozenset[str]:
    """All that is declared secret, but for what opens nothing: a URL without a credential, a header of plain words.

    Of a URL also the password in it, and of a header what follows its scheme.
    """
    return frozenset(part for name, secret in _secrets("", settings) for part in _parts(name, secret) if part)


def _secrets(name: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case SecretStr():
            yield name, value.get_secret_value()
        case BaseModel():
            for field in type(value).model_fields:
                yield from _secrets(field, getattr(value, field))
        case Mapping():
            for key, each in value.items():
                if name != "headers" or not _is_plain(key, each):
                    yield from _secrets(key, each)
        case tuple() | list():
            for each in value:
                yield from _secrets(name, each)
        case _:
            return


def _is_plain(header: str, value: object) -> bool:
    """The title or the address of a program, as some providers want it: it may be any word of the log, too."""
    if not isinstance(value, SecretStr) or _CREDENTIAL_NAME.search(header):
        return False
    return _PLAIN.fullmatch(value.get_secret_value()) is not None


def _parts(name: str, secret: str) -> Iterator[str]:
    if name == "url" and not _OPENS.search(secret):
        return
    yield secret
    yield secret.rpartition(" ")[2]
    if "://" in secret:
        # Not every secret with :// is a URL, and a host list with ports, as Sentinel has it, is no port.
        user, separator, _ = _AUTHORITY_END.split(secret.partition("://")[2], maxsplit=1)[0].rpartition("@")
        password = user.partition(":")[2] if separator else ""
        yield password
        yield unquote(password)

"""Every secret that the configuration holds, so that nothing that is said holds one."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr

from bootstrap.settings.root import Settings

_AUTHORITY_END = re.compile(r"[/?#]")


def secrets_of(settings: Settings) -> frozenset[str]:
    """All that is declared secret; of a URL also the password in it, and of a header what follows its scheme."""
    return frozenset(part for secret in _secrets(settings) for part in _parts(secret) if part)


def _secrets(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name))
        case Mapping():
            for each in value.values():
                yield from _secrets(each)
        case tuple() | list():
            for each in value:
                yield from _secrets(each)
        case _:
            return


def _parts(secret: str) -> Iterator[str]:
    yield secret
    yield secret.rpartition(" ")[2]
    if "://" in secret:
        # A host list with ports, as Sentinel has it, is no port: only the part before the @ is looked at.
        user, separator, _ = _AUTHORITY_END.split(secret.partition("://")[2], maxsplit=1)[0].rpartition("@")
        password = user.partition(":")[2] if separator else ""
        yield password
        yield unquote(password)

"""Changing some fields of a thing and leaving the others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

from application.errors import InvalidRequest


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Unset(Enum):
    """That a field was not spoken of. None removes."""

    UNSET = "unset"


UNSET = Unset.UNSET

ItemT = TypeVar("ItemT", bound=_Dataclass)

_CALLED: Mapping[str, str] = MappingProxyType(
    {
        "expires_at_us": "expires_at",
        "effective_at_us": "effective_at",
        "requests_per_minute": "rpm",
        "tokens_per_minute": "tpm",
        "amount_nano": "amount_usd",
        "kind": "period",
    }
)
"""What clients call the fields that they know by another name."""


def given(patch: _Dataclass) -> dict[str, Any]:
    """The fields of a patch that were spoken of."""
    values = {field.name: getattr(patch, field.name) for field in fields(patch)}
    return {name: value for name, value in values.items() if value is not UNSET}


def patched(item: ItemT, values: Mapping[str, Any], path: str = "") -> ItemT:
    """The item with these fields replaced.

    Raises:
        InvalidRequest: A value is not legal there; `param` names the field.
    """
    for name, value in values.items():
        # One at a time: whoever checks them says what is wrong, not where.
        with legal(path + _CALLED.get(name, name)):
            item = replace(item, **{name: value})
    return item


@contextmanager
def legal(param: str) -> Iterator[None]:
    """Tells the client of a ValueError, as one about the field `param`."""
    try:
        yield
    except ValueError as error:
        raise InvalidRequest(f"{param}: {error}.", param=param) from None

"""What every instance's address and headers must be, and what of them nobody may repeat."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import httpx

from domain.redaction import Redactor

RawHeader = tuple[bytes, bytes]

LATIN: Final = re.compile(r"[\x20-\x7e\x80-\xff]*")
ASCII: Final = re.compile(r"[\x20-\x7e]*")

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def refuse_unusable(
    provider: str, base_url: str, headers: Iterable[tuple[str, str]], values: re.Pattern[str] = LATIN
) -> None:
    """Raises ValueError where the URL is none or holds a credential, or a header can't be sent."""
    url = httpx.URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"base_url of a provider of type {provider!r} must be an http(s) URL")
    if url.userinfo:
        raise ValueError("base_url must not hold a credential: use api_key or headers")
    for name, value in headers:
        if _HEADER_NAME.fullmatch(name) is None or values.fullmatch(value) is None:
            raise ValueError(f"header {name!r} of a provider of type {provider!r} holds unsendable characters")


def usual_headers(accept: str) -> dict[str, str]:
    """What every request has, whoever it is for."""
    return {
        "accept": accept,
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "moongate",
    }


def raw_headers(usual: Mapping[str, str], own: Iterable[tuple[str, str]]) -> tuple[RawHeader, ...]:
    """All of them as they are sent; an instance's own win."""
    merged = {**usual, **{name.lower(): value for name, value in own}}
    return tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in merged.items())


def redactor_of(base_url: str, secrets: Iterable[str], headers: Mapping[str, str]) -> Redactor:
    """Takes secrets, headers and the address out of a provider's words. An empty `base_url` is everybody's."""
    host = httpx.URL(base_url).netloc.decode("ascii") if base_url else ""
    # Whoever repeats a header's credential leaves out its scheme.
    bare = (value.rpartition(" ")[2] for value in headers.values())
    return Redactor((*secrets, *headers.values(), *bare, host))

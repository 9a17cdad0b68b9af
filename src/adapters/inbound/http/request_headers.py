"""What the gateway reads from a request's headers. Names are lower case, values are bytes, as ASGI hands them over."""

import re
from collections.abc import Iterable, Mapping

from application.errors import InvalidRequest
from domain.caching import CacheControl

RawHeaders = Mapping[bytes, bytes]

_SAFE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}(?<!ff)-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MILLISECONDS = re.compile(rb"[0-9]{1,12}")
_KEY = re.compile(rb"[\x20-\x7e]{1,255}")
_BETA = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MAX_BETAS = 64
_BEARER = b"bearer "


def combined(pairs: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Each name once: what was sent twice is one list, in the order sent (RFC 9110, section 5.3).

    Taking one of them would let a second header undo the first: tags that keep a request in its region, a credential.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def credential(headers: RawHeaders) -> str | None:
    """The first that is not empty of: the bearer token, `x-api-key`, `api-key`."""
    authorization = headers.get(b"authorization", b"")
    bearer = authorization[len(_BEARER) :] if authorization[: len(_BEARER)].lower() == _BEARER else b""
    for value in (bearer, headers.get(b"x-api-key", b""), headers.get(b"api-key", b"")):
        found = value.strip()
        if found:
            return found.decode("latin-1")
    return None


def client_request_id(headers: RawHeaders) -> str | None:
    """The client's own `x-request-id`, where it is short and harmless enough to be kept and sent back."""
    value = headers.get(b"x-request-id")
    return value.decode("ascii") if value is not None and _SAFE_ID.fullmatch(value) else None


def traceparent(headers: RawHeaders) -> str | None:
    """The client's span, where the header is as W3C Trace Context wants it."""
    value = headers.get(b"traceparent")
    return value.decode("ascii") if value is not None and _TRACEPARENT.fullmatch(value) else None


def timeout_us(headers: RawHeaders) -> int | None:
    """The client's wish for the whole request.

    Raises:
        InvalidRequest: The header is there and holds no positive integer.
    """
    value = headers.get(b"x-request-timeout-ms")
    if value is None:
        return None
    if _MILLISECONDS.fullmatch(value) is None or int(value) == 0:
        raise InvalidRequest(
            "x-request-timeout-ms: expected a positive number of milliseconds, such as 30000",
            param="x-request-timeout-ms",
        )
    return int(value) * 1_000


def tags(headers: RawHeaders) -> frozenset[str]:
    """Tags that the instance must carry, from a comma-separated list."""
    value = headers.get(b"x-moongate-tags")
    if value is None:
        return frozenset()
    return frozenset(tag for part in value.decode("latin-1").split(",") if (tag := part.strip()))


def cache_control(headers: RawHeaders) -> CacheControl:
    """What the client wishes of the cache.

    Raises:
        InvalidRequest: The header is there and holds none of the wishes.
    """
    value = headers.get(b"x-moongate-cache")
    if value is None:
        return CacheControl.DEFAULT
    try:
        return CacheControl(value.decode("latin-1").strip().lower())
    except ValueError:
        wishes = ", ".join(wish.value for wish in CacheControl)
        raise InvalidRequest(f"x-moongate-cache: expected one of {wishes}", param="x-moongate-cache") from None


def idempotency_key(headers: RawHeaders) -> str | None:
    """What makes requests one.

    Raises:
        InvalidRequest: It is empty, longer than 255 characters, or not printable.
    """
    value = headers.get(b"idempotency-key")
    if value is None:
        return None
    if _KEY.fullmatch(value) is None:
        raise InvalidRequest(
            "Idempotency-Key: expected 1 to 255 printable characters, such as a UUID", param="Idempotency-Key"
        )
    return value.decode("ascii")


def anthropic_betas(headers: RawHeaders) -> tuple[str, ...]:
    """Features of Anthropic's API that the client asks for, each once.

    Raises:
        InvalidRequest: One of them is no name, or there are too many.
    """
    value = headers.get(b"anthropic-beta")
    if value is None:
        return ()
    names = dict.fromkeys(name for part in value.decode("latin-1").split(",") if (name := part.strip()))
    if len(names) > _MAX_BETAS or not all(map(_BETA.fullmatch, names)):
        raise InvalidRequest(
            f"anthropic-beta: expected up to {_MAX_BETAS} names with commas between them", param="anthropic-beta"
        )
    return tuple(names)


def declared_length(headers: RawHeaders) -> int | None:
    """The body's length in bytes as the client declares it; None where it does not (chunks, or no body)."""
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() else None

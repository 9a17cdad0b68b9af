"""Where a request comes from, as far as that can be believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from adapters.inbound.http.request_headers import RawHeaders

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"
_IPV6_HOST_BITS = 64


def client_address(peer: str | None, headers: RawHeaders, trusted: Sequence[Network]) -> str:
    """The address that limits count by: an IPv4 address, or the /64 of an IPv6 one, which one client has whole.

    `peer` is who connected; None where that has no address (a Unix socket). What it says in `X-Forwarded-For`, or else
    in `X-Real-IP`, counts only where it is a `trusted` proxy. The former is walked from the right, past proxies that
    are trusted, too: what stands to the left of the first stranger was written by the stranger.
    """
    nearest = _parsed(peer or "")
    if nearest is None or not trusted or not _is_among(nearest, trusted):
        return _counted(nearest)
    hops = [part.strip() for part in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",") if part.strip()]
    if not hops:
        return _counted(_parsed(headers.get(b"x-real-ip", b"").decode("latin-1").strip()) or nearest)
    for hop in reversed(hops):
        address = _parsed(hop)
        if address is None:
            break  # Whoever wrote it is no proxy to believe; the last one that was is the best that is known.
        nearest = address
        if not _is_among(address, trusted):
            break
    return _counted(nearest)


def _parsed(text: str) -> _Address | None:
    """An address, with or without a port; None for anything else."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_among(address: _Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _counted(address: _Address | None) -> str:
    match address:
        case None:
            return UNKNOWN
        case IPv4Address():
            return str(address)
        case IPv6Address():
            return str(IPv6Network((int(address), _IPV6_HOST_BITS), strict=False))

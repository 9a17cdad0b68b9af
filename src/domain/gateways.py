"""Which gateways live, and the share of a limit that each enforces alone."""

from collections.abc import MutableMapping

from domain.durations import SECOND_US

ANNOUNCE_EVERY_US = 2 * SECOND_US
LIVE_US = 6 * SECOND_US


def announce(gateways: MutableMapping[str, int], gateway_id: str, live_us: int, now_us: int) -> int:
    """Counts `gateway_id` among the `gateways` (their expiry by id) until `live_us` from now; how many live."""
    for known, expires_us in tuple(gateways.items()):
        if expires_us <= now_us:
            del gateways[known]
    gateways[gateway_id] = now_us + live_us
    return len(gateways)


def share(limit: int, gateways: int) -> int:
    """What one of `gateways` may admit alone, rounded up; 0 only of a limit that admits nothing."""
    return -(-limit // max(1, gateways))

"""What is done while the shared store does not answer."""

from enum import StrEnum

from domain.durations import MINUTE_US

FORGET_AFTER_US = MINUTE_US
"""So long do limits look back. A shorter pause between two outages must not make local counters forget."""


class OnStoreFailure(StrEnum):
    """DEGRADE: each gateway enforces its share. OPEN: nothing is limited. CLOSED: what needs the store is refused."""

    DEGRADE = "degrade"
    OPEN = "open"
    CLOSED = "closed"

"""Names that the gateway hands around. They are strings on the wire and distinct types in here."""

from typing import NewType

ModelName = NewType("ModelName", str)
InstanceId = NewType("InstanceId", str)
RouteSlug = NewType("RouteSlug", str)
RequestId = NewType("RequestId", str)
LeaseId = NewType("LeaseId", str)

_RANDOM_BITS = 74


def uuid7(now_ms: int, random_bits: int) -> RequestId:
    """A time-ordered request id (RFC 9562, section 5.7).

    Args:
        now_ms: Unix time in milliseconds, 48 bits.
        random_bits: At least 74 random bits; higher ones are ignored.
    """
    random_bits &= (1 << _RANDOM_BITS) - 1
    value = (now_ms & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 62) << 64
    value |= 0b10 << 62
    value |= random_bits & ((1 << 62) - 1)
    text = f"{value:032x}"
    return RequestId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def lease_id(request_id: RequestId, admission: int) -> LeaseId:
    """The id under which admission number `admission` (from 1) of a request holds its slot, until it is given back."""
    return LeaseId(f"{request_id}:{admission}")

import pytest

from adapters.inbound.http.request_headers import traceparent

TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"


def test_well_formed_header_is_taken() -> None:
    assert traceparent({b"traceparent": b"00-%b-%b-01" % (TRACE, SPAN)}) == f"00-{TRACE.decode()}-{SPAN.decode()}-01"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"00-%b-%b" % (TRACE, SPAN),
        b"00-%b-%b-01" % (TRACE.upper(), SPAN),
        b"00-%b-%b-01" % (b"0" * 32, SPAN),
        b"00-%b-%b-01" % (TRACE, b"0" * 16),
        b"ff-%b-%b-01" % (TRACE, SPAN),
        b"00-%b-%b-01\n" % (TRACE, SPAN),
        b"00-%b-%b-01, 00-%b-%b-01" % (TRACE, SPAN, TRACE, SPAN),
    ],
)
def test_any_other_is_ignored(value: bytes) -> None:
    assert traceparent({b"traceparent": value}) is None
    assert traceparent({}) is None

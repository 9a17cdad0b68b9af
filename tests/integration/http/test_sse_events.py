"""What names an event of a stream for clients of messages and responses."""

import pytest

from adapters.inbound.http.sse import named_event


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"type":"message_stop"}', b"message_stop"),
        (b'{"a":1,"type":"response.created"}', b"response.created"),
        (b'{"a":1}', b"message"),
        (b'{"type":null}', b"message"),
        (b'{"type":5}', b"message"),
        (b'{"a":1,"type":"a\\nb"}', b"message"),
    ],
)
def test_an_event_is_named_by_its_type_and_by_the_default_where_that_is_no_name(data: bytes, name: bytes) -> None:
    assert named_event(data) == b"event: " + name + b"\ndata: " + data + b"\n\n"

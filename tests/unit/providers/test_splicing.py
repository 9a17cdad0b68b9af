import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outbound.providers.splicing import plain_model_span, with_first_member, with_member, with_model

NAMES = st.sampled_from(["model", '"model', 'model"', "\\model", "mödel", "x", "\ud800"]) | st.text(max_size=5)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**53 + 1, 10**30, "model", '"model":"x"', '\\"model\\": "x"', "a\\", "€", "\ud83d"])
    | st.text(max_size=8)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@st.composite
def spelled(draw: st.DrawFn, value: object) -> str:
    """`value` as JSON, in one of the many ways to write it."""
    space = draw(st.sampled_from(["", " ", "\n\t", "  \r\n"]))
    if isinstance(value, dict):
        pairs = [f"{space}{draw(spelled(k))}{space}:{space}{draw(spelled(v))}" for k, v in value.items()]
        return "{" + f"{space},".join(pairs) + space + "}"
    if isinstance(value, list):
        return "[" + f"{space},".join(space + draw(spelled(item)) for item in value) + space + "]"
    if isinstance(value, str) and draw(st.booleans()):
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 1 << 16 else json.dumps(c)[1:-1] for c in value) + '"'
    return json.dumps(value, ensure_ascii=draw(st.booleans()) or "\ud800" <= str(value)[:1] <= "\udfff")


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    others = draw(st.dictionaries(NAMES.filter(lambda name: name != "model"), VALUES, max_size=4))
    items = draw(st.permutations([*others.items(), ("model", draw(LEAVES | st.just({"model": "inner"})))]))
    return draw(spelled(dict(items))).encode("utf-8", "surrogatepass")


@given(bodies())
@example(rb'{"\u006dodel":"outer","x":{"model":"outer"}}')
@example(rb'{"a":"\\","model":"m"}')
@example(b'{"\\"model":"m","model":"m"}')
@example(b'{"model":"model"}')
@example(b'\xef\xbb\xbf{"model":"m"}')
def test_a_spliced_body_differs_in_its_model_alone(body: bytes) -> None:
    document = json.loads(body)

    spliced = with_model(body, document, 'the "new" one\u20ac')

    assert json.loads(spliced) == {**document, "model": 'the "new" one\u20ac'}
    assert list(json.loads(spliced)) == list(document)


@given(bodies(), VALUES)
def test_a_replaced_member_leaves_all_others_alone(body: bytes, value: object) -> None:
    document = json.loads(body)
    name = next(iter(document))

    assert json.loads(with_member(body, name, json.dumps(value).encode())) == {**document, name: value}


@given(bodies())
def test_a_first_member_leaves_all_others_alone(body: bytes) -> None:
    document = json.loads(body)

    assert json.loads(with_first_member(body, "first!", b"[1]")) == {"first!": [1], **document}


def test_a_plain_body_keeps_every_other_byte() -> None:
    body = b'{ "messages": [ ],\n "temperature":0.10,"big":123456789012345678901,"model" : "a" , "huge":1e999}'

    assert with_model(body, json.loads(body), "b") == body.replace(b'"a"', b'"b"')


def test_an_escaped_body_keeps_every_other_byte() -> None:
    body = rb'{"x":{"model":"a"},"text":"\u00e9\ud83d","huge":1e999,"\u006dodel" : "a"}'

    assert with_model(body, json.loads(body), "b") == body[:-4] + b'"b"}'


def test_a_body_without_a_model_stays_as_it_is() -> None:
    body = b'{"x":{"model":"a"},"y":[]}'

    assert with_model(body, json.loads(body), "b") == body


def test_a_body_in_another_encoding_is_spliced_too() -> None:
    body = '{"x":"é","model":"a"}'.encode("utf-16")

    assert json.loads(with_model(body, json.loads(body), "b")) == {"x": "é", "model": "b"}


def test_a_repeated_model_is_replaced_everywhere() -> None:
    body = b'{"model":"a","model":"b"}'

    assert with_model(body, json.loads(body), "c") == b'{"model":"c","model":"c"}'


@pytest.mark.parametrize(
    "body",
    [
        rb'{"\u006dodel":"a","x":{"model":"a"}}',
        rb'{"\u006Dodel":"a","x":{"model":"a"}}',
        rb'{"m\u006fdel":"a","x":{"model":"a"}}',
        rb'{"mo\u0064el":"a","x":{"model":"a"}}',
        rb'{"mod\u0065l":"a","x":{"model":"a"}}',
        rb'{"mode\u006C":"a","x":{"model":"a"}}',
        b'{"model":"a","x":{"model":"a"}}',
        b'{"model":"a","x":"model"}',
        b'{"x":{"model":"b"},"model":"a"}',
        rb'{"model":"a\/"}',
    ],
)
def test_a_doubtful_body_is_never_taken_for_a_plain_one(body: bytes) -> None:
    assert plain_model_span(body, json.loads(body)["model"]) is None


def test_a_plain_body_is_spliced_without_a_second_parse() -> None:
    assert plain_model_span(b'{"model":"a"}', "a") == (9, 12)
    assert plain_model_span(rb'{"model":"a","x":"caf\u00e9 \u4f60 \ud83d\ude00 \n"}', "a") == (9, 12)

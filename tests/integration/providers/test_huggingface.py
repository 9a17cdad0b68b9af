"""What is Hugging Face's own: its addresses, its fields, and the errors of its router and its servers."""

import json

import pytest

from domain.chat import Endpoint
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call, stream_call
from tests.integration.providers.upstream import drain
from tests.integration.providers.wired import MODEL, wired
from tests.wires.huggingface import HuggingFaceWire
from tests.wires.wire import Said, WireReply

WIRE = HuggingFaceWire()
SAID = WIRE.whole(Said(text="Yes."), MODEL)
HI = [{"role": "user", "content": "Hi"}]
TOO_LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 and 200"


def answer(status: int, document: object) -> WireReply:
    return WireReply(status, (json.dumps(document).encode(),))


async def test_both_of_openais_maxima_are_max_tokens() -> None:
    provider, upstream = wired(WIRE, SAID)

    await provider.complete(call({"model": "mine", "messages": HI, "max_completion_tokens": 9}))

    assert json.loads(upstream.requests[0].body)["max_tokens"] == 9
    assert b"max_completion_tokens" not in upstream.requests[0].body


async def test_completions_are_served_by_chat() -> None:
    provider, upstream = wired(WIRE, SAID)

    reply = await provider.complete(call({"model": "mine", "prompt": "Is it?"}, endpoint=Endpoint.COMPLETIONS))

    assert upstream.heard.turns == (("user", "Is it?"),)
    assert json.loads(reply.body)["choices"][0]["text"] == "Yes."


async def test_embeddings_are_asked_for_at_their_own_path() -> None:
    document = {"object": "list", "data": [{"embedding": [0.5], "index": 0}], "usage": {"prompt_tokens": 2}}
    provider, upstream = wired(WIRE, answer(200, document))

    await provider.complete(call({"model": "mine", "input": "Hi"}, endpoint=Endpoint.EMBEDDINGS))

    assert upstream.requests[0].path.endswith("/v1/embeddings")


@pytest.mark.parametrize(("field", "value"), [("n", 2), ("logit_bias", {"1": 5})])
async def test_what_its_servers_would_ignore_is_refused_by_name(field: str, value: object) -> None:
    provider, upstream = wired(WIRE, SAID)

    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call({"model": "mine", "messages": HI, field: value}))

    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, field)
    assert upstream.requests == []


async def test_one_answer_is_no_wish() -> None:
    provider, upstream = wired(WIRE, SAID)

    await provider.complete(call({"model": "mine", "messages": HI, "n": 1, "logit_bias": {}}))

    assert {"n", "logit_bias"}.isdisjoint(json.loads(upstream.requests[0].body))


@pytest.mark.parametrize(
    ("status", "document", "kind", "wait_us"),
    [
        (503, {"error": "Model x is currently loading", "estimated_time": 20.5}, FailureKind.SERVER_ERROR, 20_500_000),
        (503, {"error": "Model x is currently loading", "estimated_time": "soon"}, FailureKind.SERVER_ERROR, None),
        (503, {"error": "Model x is currently loading", "estimated_time": 1e9}, FailureKind.SERVER_ERROR, None),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, FailureKind.RATE_LIMITED, None),
        (422, {"error": "bad `temperature`", "error_type": "validation"}, FailureKind.REQUEST_REFUSED, None),
        (422, {"error": TOO_LONG, "error_type": "validation"}, FailureKind.CONTEXT_LENGTH, None),
        (
            424,
            {"error": "Request failed during generation", "error_type": "generation"},
            FailureKind.SERVER_ERROR,
            None,
        ),
        (402, {"error": "You have exceeded your monthly included credits"}, FailureKind.QUOTA_EXHAUSTED, None),
        (400, {"error": {"message": "The requested model is unknown", "code": "x"}}, FailureKind.REQUEST_REFUSED, None),
    ],
)
async def test_an_error_of_any_of_its_servers_is_understood(
    status: int, document: dict[str, object], kind: FailureKind, wait_us: int | None
) -> None:
    provider, _ = wired(WIRE, answer(status, document))

    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call())

    failure = raised.value.failure
    assert (failure.kind, failure.status, failure.retry_after_us) == (kind, status, wait_us)
    assert failure.message in json.dumps(document)
    assert failure.type == document.get("error_type")


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("overloaded", FailureKind.RATE_LIMITED),
        ("validation", FailureKind.REQUEST_REFUSED),
        ("generation", FailureKind.SERVER_ERROR),
    ],
)
async def test_an_error_inside_a_stream_is_judged_by_its_type(kind: str, meant: FailureKind) -> None:
    event = b'data: {"error": "it broke", "error_type": "%b"}\n\n' % kind.encode()
    provider, _ = wired(WIRE, WireReply(200, (event,), {"content-type": "text/event-stream"}))

    with pytest.raises(ProviderFailed, match="it broke") as raised:
        await drain(await provider.stream(stream_call()))

    assert raised.value.failure.kind is meant

import json

import pytest
import respx

from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from domain.chat import Endpoint, Reply, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import REQUEST_ID, call, stream_call
from tests.integration.providers.upstream import SSE, drain, provider, sse

REPLY = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"gpt-4o-2024-08-06","choices":'
    b'[{"index":0,"message":{"role":"assistant","content":"\\"model\\":\\"gpt-4o-2024-08-06\\""},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}},'
    b'"x_more":1.50}'
)
EMBEDDINGS = b'{"object":"list","data":[{"embedding":[0.10]}],"model":"e","usage":{"prompt_tokens":3,"total_tokens":3}}'
BODY = b'{"model": "mine", "messages": [{"role": "user", "content": "Hi"}], "x": 1.50}'
DONE_STREAM = sse(b'{"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}', b"[DONE]")

ALL = {Endpoint.CHAT: "chat/completions", Endpoint.COMPLETIONS: "completions", Endpoint.EMBEDDINGS: "embeddings"}
AZURE = "https://r.openai.azure.com"
BEARER = {"authorization": "Bearer the-key"}
WAYS = {
    "openai": ("https://api.openai.com/v1/{}", BEARER),
    "azure": (AZURE + "/openai/deployments/gpt-4o/{}?api-version=2024-10-21", {"api-key": "the-key"}),
    "custom": ("http://own.example/v1/{}", BEARER),
    "ollama": ("http://localhost:11434/v1/{}", BEARER),
    "vllm": ("http://localhost:8000/v1/{}", BEARER),
    "mistral": ("https://api.mistral.ai/v1/{}", BEARER),
    "groq": ("https://api.groq.com/openai/v1/{}", BEARER),
    "openrouter": ("https://openrouter.ai/api/v1/{}", BEARER),
}
BASE_URLS = {"azure": AZURE, "custom": "http://own.example/v1"}
NATIVE = [
    (preset, endpoint)
    for preset in WAYS
    for endpoint in ALL
    if not (preset == "groq" and endpoint is not Endpoint.CHAT)
    and not (preset == "mistral" and endpoint is Endpoint.COMPLETIONS)
]


def configured(preset: str) -> OpenAICompatibleConfig:
    return OpenAICompatibleConfig(preset, base_url=BASE_URLS.get(preset), api_key="the-key")


@pytest.mark.parametrize(("preset", "endpoint"), NATIVE)
async def test_a_request_goes_where_the_preset_says_and_is_untouched(preset: str, endpoint: Endpoint) -> None:
    url, credential = WAYS[preset]
    answer = EMBEDDINGS if endpoint is Endpoint.EMBEDDINGS else REPLY
    with respx.mock() as router:
        route = router.post(url.format(ALL[endpoint])).respond(content=answer)
        reply = await provider(router, configured(preset)).complete(call(body=BODY, endpoint=endpoint))
        request = route.calls.last.request

    assert request.content == BODY.replace(b'"mine"', b'"gpt-4o"')
    assert dict(request.headers) == {
        "host": request.url.netloc.decode(),
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-length": str(len(request.content)),
        "content-type": "application/json",
        "user-agent": "moongate",
        "x-request-id": REQUEST_ID,
        **credential,
    }
    assert json.loads(reply.body)["model"] == "mine"


async def test_a_reply_comes_back_untouched_but_for_its_model() -> None:
    with respx.mock() as router:
        router.post(WAYS["openai"][0].format("chat/completions")).respond(content=REPLY)
        reply = await provider(router).complete(call())
    assert reply == Reply(REPLY.replace(b'"model":"gpt-4o-2024-08-06"', b'"model":"mine"'), Usage(3, 2, 1))


async def test_configured_headers_go_along_and_win() -> None:
    config = OpenAICompatibleConfig(
        "openai",
        api_key="the-key",
        organization="org",
        project="proj",
        headers={"X-Title": "é", "Authorization": "Basic x"},
    )
    with respx.mock() as router:
        route = router.post(WAYS["openai"][0].format("chat/completions")).respond(content=REPLY)
        await provider(router, config).complete(call())
        headers = route.calls.last.request.headers
    assert headers["openai-organization"] == "org"
    assert headers["openai-project"] == "proj"
    assert headers["x-title"] == "é"
    assert headers.get_list("authorization") == ["Basic x"]


async def test_a_provider_without_a_key_gets_no_credential() -> None:
    with respx.mock() as router:
        route = router.post(WAYS["ollama"][0].format("chat/completions")).respond(content=REPLY)
        await provider(router, OpenAICompatibleConfig("ollama")).complete(call())
    assert "authorization" not in route.calls.last.request.headers


async def test_a_connection_is_given_its_time() -> None:
    with respx.mock() as router:
        route = router.post(WAYS["openai"][0].format("chat/completions")).respond(content=REPLY)
        await provider(router).complete(call())
    assert route.calls.last.request.extensions["timeout"] == {"connect": 3.0}


@pytest.mark.parametrize(
    ("preset", "asked"),
    [
        ("openai", True),
        ("azure", True),
        ("custom", True),
        ("ollama", True),
        ("vllm", True),
        ("groq", True),
        ("mistral", False),
        ("openrouter", False),
    ],
)
async def test_a_stream_is_asked_for_its_usage_where_the_preset_allows(preset: str, *, asked: bool) -> None:
    with respx.mock() as router:
        route = router.post(WAYS[preset][0].format("chat/completions")).respond(content=DONE_STREAM, headers=SSE)
        [chunk] = await drain(await provider(router, configured(preset)).stream(stream_call()))
    request = route.calls.last.request
    assert json.loads(request.content).get("stream_options") == ({"include_usage": True} if asked else None)
    assert request.headers["accept"] == "text/event-stream"
    assert json.loads(chunk.data)["model"] == "mine"


async def test_a_client_that_asks_for_usage_itself_is_not_corrected() -> None:
    options = {"include_usage": True, "include_obfuscation": False}
    with respx.mock() as router:
        route = router.post(WAYS["openai"][0].format("chat/completions")).respond(content=DONE_STREAM, headers=SSE)
        asked = stream_call(stream_options=options)
        await drain(await provider(router).stream(asked))
    assert route.calls.last.request.content == asked.request.body.replace(b'"mine"', b'"gpt-4o"')


@pytest.mark.parametrize("preset", ["mistral", "groq"])
async def test_completions_are_answered_by_chat_where_there_are_none(preset: str) -> None:
    asked = call({"model": "mine", "prompt": "Once", "max_tokens": 5}, endpoint=Endpoint.COMPLETIONS)
    with respx.mock() as router:
        route = router.post(WAYS[preset][0].format("chat/completions")).respond(content=REPLY)
        reply = await provider(router, configured(preset)).complete(asked)
    assert json.loads(route.calls.last.request.content) == {
        "model": "gpt-4o",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "Once"}],
    }
    document = json.loads(reply.body)
    assert (document["object"], document["model"]) == ("text_completion", "mine")
    assert document["choices"][0]["text"] == '"model":"gpt-4o-2024-08-06"'
    assert reply.usage == Usage(3, 2, 1)


async def test_streamed_completions_are_answered_by_chat_too() -> None:
    asked = call({"model": "mine", "prompt": "Once", "stream": True}, endpoint=Endpoint.COMPLETIONS)
    stream = sse(
        b'{"id":"x","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}',
        b'{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"upon"}}]}',
        b'{"id":"x","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        b'{"id":"x","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
        b"[DONE]",
    )
    with respx.mock() as router:
        router.post(WAYS["groq"][0].format("chat/completions")).respond(content=stream, headers=SSE)
        chunks = await drain(await provider(router, configured("groq")).stream(asked))
    documents = [json.loads(chunk.data) for chunk in chunks]
    assert {document["object"] for document in documents} == {"text_completion"}
    assert {document["model"] for document in documents} == {"mine"}
    assert [d["choices"][0]["text"] for d in documents[:-1]] == ["", "upon", ""]
    assert [chunk.content for chunk in chunks] == [False, True, True, False]
    assert (chunks[-1].usage, chunks[-1].visible) == (Usage(1, 2), False)


async def test_a_number_that_no_client_could_read_breaks_a_translated_reply() -> None:
    fields = {"model": "mine", "prompt": "Once"}
    chunk = b'{"model":"m","created":1e999,"choices":[{"index":0,"delta":{"content":"a"}}]}'
    with respx.mock() as router:
        route = router.post(WAYS["groq"][0].format("chat/completions")).respond(
            content=b'{"created":1e999,"choices":[]}'
        )
        one = provider(router, configured("groq"))
        with pytest.raises(ProviderFailed) as failed:
            await one.complete(call(fields, endpoint=Endpoint.COMPLETIONS))
        assert failed.value.failure.kind is FailureKind.BROKEN_REPLY
        route.respond(content=sse(chunk, b"[DONE]"), headers=SSE)
        stream = await one.stream(call({**fields, "stream": True}, endpoint=Endpoint.COMPLETIONS))
        with pytest.raises(ProviderFailed) as failed:
            await drain(stream)
        assert failed.value.failure.kind is FailureKind.BROKEN_REPLY


async def test_what_a_provider_does_not_have_is_refused_without_a_request() -> None:
    with respx.mock() as router, pytest.raises(ProviderFailed) as failed:
        await provider(router, configured("groq")).complete(call(endpoint=Endpoint.EMBEDDINGS))
    assert failed.value.failure.kind is FailureKind.UNSUPPORTED
    assert "groq has no embeddings" in failed.value.failure.message


async def test_a_conversation_that_another_provider_answered_goes_to_responses_without_the_gateways_own() -> None:
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "moongate:W10="}
    asked = {"model": "mine", "input": [own, {"role": "user", "content": "Hi"}]}
    answer = b'{"id":"r","object":"response","status":"completed","model":"m","output":[]}'
    with respx.mock() as router:
        route = router.post("https://api.openai.com/v1/responses").respond(content=answer)
        await provider(router).complete(call(asked, endpoint=Endpoint.RESPONSES))

    sent = json.loads(route.calls.last.request.content)
    assert sent == {"model": "gpt-4o", "input": [{"role": "user", "content": "Hi"}]}

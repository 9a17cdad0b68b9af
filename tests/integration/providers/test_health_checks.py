"""What is sent as a health check, and what comes of the answers."""

import httpx
import pytest
import respx

from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.presets import PRESETS
from domain.failure import Blame, Failure, FailureKind, ProviderFailed
from tests.integration.providers.fakes import Draws, SteppingClock
from tests.integration.providers.upstream import provider

OWN = "http://own.example/v1"
AZURE = "https://r.openai.azure.com"
BASE_URLS = {"azure": AZURE, "custom": OWN}
CHECKED = {
    "openai": "https://api.openai.com/v1/models",
    "azure": AZURE + "/openai/models?api-version=2024-10-21",
    "custom": OWN + "/models",
    "ollama": "http://localhost:11434/v1/models",
    "vllm": "http://localhost:8000/v1/models",
    "mistral": "https://api.mistral.ai/v1/models",
    "groq": "https://api.groq.com/openai/v1/models",
    "huggingface": "https://router.huggingface.co/v1/models",
    "openrouter": "https://openrouter.ai/api/v1/models",
}


class CountedBody(httpx.AsyncByteStream):
    """Pieces without end."""

    def __init__(self) -> None:
        self.read_bytes = 0
        self.closed = False

    def __aiter__(self) -> "CountedBody":
        return self

    async def __anext__(self) -> bytes:
        self.read_bytes += 1 << 16
        return bytes(1 << 16)

    async def aclose(self) -> None:
        self.closed = True


async def refused(status: int, body: bytes = b"{}", **headers: str) -> Failure:
    with respx.mock() as router:
        router.get(CHECKED["custom"]).respond(status, content=body, headers=headers)
        config = OpenAICompatibleConfig("custom", OWN, api_key="the-key")
        with pytest.raises(ProviderFailed) as raised:
            await provider(router, config).check()
    return raised.value.failure


def test_every_kind_of_provider_is_checked_here() -> None:
    assert set(CHECKED) == set(PRESETS)


@pytest.mark.parametrize("preset", list(CHECKED))
async def test_a_check_asks_for_the_list_of_models_with_the_credential_and_sends_nothing(preset: str) -> None:
    config = OpenAICompatibleConfig(preset, base_url=BASE_URLS.get(preset), api_key="the-key")
    with respx.mock() as router:
        route = router.get(CHECKED[preset]).respond(200, json={"object": "list", "data": []})
        assert await provider(router, config).check() == 200

    request = route.calls.last.request
    credential = {"api-key": "the-key"} if preset == "azure" else {"authorization": "Bearer the-key"}
    assert credential.items() <= dict(request.headers).items()
    assert request.content == b""
    assert "content-length" not in request.headers


async def test_azure_is_checked_at_the_version_that_is_configured() -> None:
    config = OpenAICompatibleConfig("azure", base_url=AZURE + "/openai", api_key="k", api_version="2025-01-01-preview")
    with respx.mock() as router:
        router.get(AZURE + "/openai/models?api-version=2025-01-01-preview").respond(200)
        assert await provider(router, config).check() == 200


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422, 429])
async def test_a_refusal_is_not_the_providers_fault(status: int) -> None:
    failure = await refused(status, b'{"error": {"message": "no"}}')

    assert (failure.status, failure.verdict.blame) == (status, Blame.IGNORED)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 529])
async def test_an_error_of_the_server_is_its_fault(status: int) -> None:
    failure = await refused(status)

    assert (failure.status, failure.verdict.blame) == (status, Blame.FAILURE)


async def test_a_redirect_is_not_followed_and_is_no_answer() -> None:
    failure = await refused(302, location="http://elsewhere.example/models")

    assert (failure.kind, failure.verdict.blame) == (FailureKind.BROKEN_REPLY, Blame.FAILURE)


async def test_a_refusal_tells_nothing_of_the_credential() -> None:
    failure = await refused(404, b'{"error": {"message": "key the-key has no models"}}')

    assert "the-key" not in failure.message


async def test_a_list_without_end_is_read_no_further_than_a_mebibyte() -> None:
    body = CountedBody()

    async def endless(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=body)

    config = OpenAICompatibleConfig("custom", OWN)
    transport = httpx.MockTransport(endless)
    assert await OpenAICompatibleProvider(config, transport).check() == 200
    assert body.closed
    assert body.read_bytes <= (1 << 20) + (1 << 16)


async def test_a_connection_that_can_not_be_made_is_the_providers_fault() -> None:
    with respx.mock() as router:
        router.get(CHECKED["openai"]).mock(side_effect=httpx.ConnectError("refused"))
        with pytest.raises(ProviderFailed) as raised:
            await provider(router).check()

    assert raised.value.failure.kind is FailureKind.CONNECT


async def test_the_echo_is_well_unless_it_was_told_to_fail() -> None:
    well = EchoProvider(EchoConfig(), SteppingClock(), Draws())
    ill = EchoProvider(EchoConfig(fail_rate=0.5, fail_status=503), SteppingClock(), Draws(0.4, 0.6))

    assert await well.check() is None
    with pytest.raises(ProviderFailed) as raised:
        await ill.check()
    assert raised.value.failure.status == 503
    assert await ill.check() is None

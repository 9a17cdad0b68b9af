from collections.abc import Awaitable, Callable

import httpx
import pytest

from adapters.outbound.providers.bedrock.config import BedrockConfig
from adapters.outbound.providers.bedrock.dialect import BedrockDialect
from adapters.outbound.providers.bedrock.frames import Frame
from adapters.outbound.providers.translated_provider import TranslatedProvider
from adapters.testing.provider_contract import UPSTREAM_MODEL, ProviderContract, ProviderHarness
from adapters.testing.virtual_time import ManualClock
from domain.chat import Endpoint
from tests.contract.test_provider import Pieces, failing, hanging
from tests.wires.bedrock import BedrockWire
from tests.wires.wire import Said, WireReply


class TestBedrockProvider(ProviderContract):
    @pytest.fixture
    def harness(self) -> ProviderHarness:
        said, wire = Said("one two"), BedrockWire()

        def answer(reply: WireReply) -> httpx.Response:
            return httpx.Response(reply.status, headers=dict(reply.headers), stream=Pieces(*reply.pieces))

        async def well(request: httpx.Request) -> httpx.Response:
            if request.method == "GET":
                return httpx.Response(200, stream=Pieces(b'{"asyncInvokeSummaries": []}'))
            return answer((wire.stream if request.url.path.endswith("stream") else wire.whole)(said, UPSTREAM_MODEL))

        async def broken_off(_: httpx.Request) -> httpx.Response:
            whole = wire.stream(said, UPSTREAM_MODEL)
            return answer(WireReply(200, whole.pieces[:3], whole.headers))

        def over(handler: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> TranslatedProvider[Frame]:
            config = BedrockConfig("eu-west-1", access_key_id="AKIDEXAMPLE", secret_access_key="s3cr3t-key")
            dialect = BedrockDialect(config)
            return TranslatedProvider(dialect, httpx.MockTransport(handler), ManualClock(), dialect)  # type: ignore[arg-type]

        endpoints = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS})
        return ProviderHarness(over(well), over(failing), over(broken_off), over(hanging), endpoints)

"""One scripted upstream and one event loop for each module; the modules start their own gateways.

But four gateways on one Redis take seconds to start, so that the modules that ask them share one fleet: each folder has
one, which ends with it, and tests/one_worker.py keeps a folder together.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.e2e.gateway_process import Gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.redis_servers import standalone, valkey_binary


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    async with gateway.client() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def claude(gateway: Gateway) -> AsyncIterator[AsyncAnthropic]:
    url = f"http://127.0.0.1:{gateway.port}"
    async with AsyncAnthropic(base_url=url, api_key=gateway.key, max_retries=0) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fleet_upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture(scope="session")
def fleet_redis() -> Iterator[str]:
    with standalone(valkey_binary()) as server:
        yield server.url

"""Clients: steady ones, bursts, such that go away, streams; each checks what it gets."""

import asyncio
import json
from typing import Any

from application.errors import GatewayError, StreamBroken
from application.gateway_request import GatewayRequest
from domain.callers import Caller, CallerKind
from domain.chat import Endpoint, LlmRequest
from domain.identifiers import RequestId
from domain.limits.limit import Algorithm, Limit, LimitKind
from tests.simulation.simulated_gateway import SimulatedGateway
from tests.simulation.world import World

RPM = 40
TPM = 900
PARALLEL = 4
DEADLINE_SLACK_S = 1.0


def callers(world: World) -> list[Caller]:
    """Two keys of each team, with limits of their own."""
    found: list[Caller] = []
    for budget in world.budgets:
        team = budget.owner.id
        for number in range(2):
            key = f"{team}-{number}"
            limits = (
                Limit(f"key:{key}:rpm", LimitKind.REQUESTS, RPM, Algorithm.SLIDING_WINDOW),
                Limit(f"key:{key}:tpm", LimitKind.TOKENS, TPM, Algorithm.SLIDING_WINDOW),
                Limit(f"key:{key}:parallel", LimitKind.PARALLEL, PARALLEL, Algorithm.LEASES),
            )
            caller = Caller(
                CallerKind.KEY, key, tenant=f"team:{team}", team_id=team, user_id=None, limits=limits, budgets=(budget,)
            )
            found.append(caller)
    return found


class Clients:
    """Everybody who asks. `asked`: which request is whose."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.callers = callers(world)
        self.asked: dict[str, Caller] = {}
        self.served_by: dict[str, SimulatedGateway] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, until_s: float) -> None:
        """Asks until then, and waits for what is under way."""
        world, chance = self._world, self._world.chance
        while world.loop.time() < until_s:
            burst = chance.randint(5, 25) if chance.random() < 0.03 else 1
            for _ in range(burst):
                self._tasks.add(asyncio.get_running_loop().create_task(self._ask()))
            await asyncio.sleep(chance.expovariate(1.0))
            self._tasks = {task for task in self._tasks if not task.done()}
        await asyncio.gather(*self._tasks)

    async def _ask(self) -> None:
        world, chance = self._world, self._world.chance
        serving = [one for one in world.gateways.values() if one.is_serving]
        if not serving:
            return
        gateway, caller = chance.choice(serving), chance.choice(self.callers)
        request = self._request(caller, stream=chance.random() < 0.4)
        call = gateway.spawn(self._call(gateway, request))
        patience_s = chance.random() * 3 if chance.random() < 0.15 else None
        began_s = world.loop.time()
        done, _ = await asyncio.wait([call], timeout=patience_s)
        if not done:
            world.fault("client leaves")
            call.cancel()
            await asyncio.wait([call])
        self.served_by[request.request_id] = gateway
        self._count(gateway, request, call, world.loop.time() - began_s)

    def _count(
        self, gateway: SimulatedGateway, request: GatewayRequest, call: "asyncio.Task[str]", took_s: float
    ) -> None:
        world = self._world
        world.told.requests += 1
        if call.cancelled():
            outcome = "gone"
            if gateway.links[0].dead:
                world.crashed_requests.add(request.request_id)
        elif (error := call.exception()) is not None:
            outcome = type(error).__name__
            if not isinstance(error, GatewayError):
                world.violated(f"{request.request_id} ended with {error!r}")
        else:
            outcome = call.result()
        world.told.outcomes[outcome] += 1
        world.note(outcome, request.request_id)
        limit_s = world.policy.max_deadline_us / 1e6 + DEADLINE_SLACK_S
        if took_s > limit_s and not request.llm.stream and not gateway.was_paused:
            world.violated(f"{request.request_id} took {took_s:.1f} s, its deadline was at {limit_s - 1} s")

    async def _call(self, gateway: SimulatedGateway, request: GatewayRequest) -> str:
        if not request.llm.stream:
            completed = await gateway.complete(request)
            self._check(request, [completed.reply.body])
            return "whole"
        streaming = await gateway.stream(request)
        pieces: list[bytes] = []
        try:
            async for batch in streaming.chunks:
                pieces.extend(chunk.data for chunk in batch if chunk.visible)
        except StreamBroken:
            self._check(request, pieces)
            return "stream cut"
        finally:
            await streaming.chunks.aclose()
        self._check(request, pieces)
        return "stream"

    def _check(self, request: GatewayRequest, pieces: list[bytes]) -> None:
        said = [json.loads(piece) for piece in pieces]
        attempts = {(one["request"], one["by"], one["call"]) for one in said}
        if len(attempts) > 1 or any(one["request"] != request.request_id for one in said):
            self._world.violated(f"{request.request_id} was answered from {sorted(attempts)}")
        numbers = [one["number"] for one in said]
        if request.llm.stream and numbers != list(range(1, len(numbers) + 1)):
            self._world.violated(f"{request.request_id} got the pieces {numbers}")

    def _request(self, caller: Caller, *, stream: bool) -> GatewayRequest:
        request_id = RequestId(f"{len(self.asked):06d}")
        self.asked[request_id] = caller
        llm = LlmRequest(
            Endpoint.CHAT, "m", b"{}", {}, stream=stream, input_tokens=10, most_input_tokens=10, max_output_tokens=20
        )
        return GatewayRequest(request_id, caller, llm)

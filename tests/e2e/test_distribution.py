"""Weighted round-robin, counted from outside: exact in every cycle, at instance and at route level."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from math import gcd

import pytest
import pytest_asyncio

from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEIGHTS = ((60, 40), (80, 20), (40, 35, 25), (1, 1), (5, 1, 1))
CYCLES = 3
LARGEST_DEVIATION = 1.5


def name_of(weights: Sequence[int]) -> str:
    return "-".join(str(weight) for weight in weights)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    url, models, routes = upstream.base_url, [], []
    for weights in WEIGHTS:
        name = name_of(weights)
        members = []
        for index, weight in enumerate(weights):
            models.append(instance(f"model-{name}", url, f"instance-{name}-{index}", weight=weight))
            models.append(instance(f"member-{name}-{index}", url))
            members.append({"model_name": f"member-{name}-{index}", "weight": weight})
        routes.append({"name": name, "slug": f"route-{name}", "strategy": "weighted-round-robin", "models": members})
    document = configuration(models, router={"routing_strategy": "weighted-round-robin"}, routes=routes)
    async with running_gateway(document, tmp_path_factory.mktemp("weights")) as running:
        yield running


def assert_exact(picks: Sequence[str], prefix: str, weights: Sequence[int]) -> None:
    """Every full cycle has each member's share exactly; no prefix strays further than 1.5 picks."""
    total = sum(weights)
    cycle = total // gcd(*weights)
    share = {f"{prefix}-{index}": weight * cycle // total for index, weight in enumerate(weights)}
    for start in range(0, len(picks), cycle):
        assert Counter(picks[start : start + cycle]) == share
    for length in range(1, len(picks) + 1):
        seen = Counter(picks[:length])
        for index, weight in enumerate(weights):
            assert abs(seen[f"{prefix}-{index}"] - length * weight / total) <= LARGEST_DEVIATION


@pytest.mark.parametrize("weights", WEIGHTS, ids=name_of)
@pytest.mark.parametrize(
    ("asked", "header", "picked"),
    [
        ("model", "x-moongate-instance", "instance"),
        ("route", "x-moongate-model", "member"),
    ],
)
async def test_weighted_round_robin_is_exact_in_every_cycle(
    gateway: Gateway, weights: Sequence[int], asked: str, header: str, picked: str
) -> None:
    name = name_of(weights)
    wanted = CYCLES * sum(weights) // gcd(*weights)

    picks = [(await gateway.chat(f"{asked}-{name}")).headers[header] for _ in range(wanted)]

    assert_exact(picks, f"{picked}-{name}", weights)

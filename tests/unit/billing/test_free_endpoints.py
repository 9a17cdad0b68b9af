"""What no provider takes anything for costs nobody anything, however little is left."""

from dataclasses import replace

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from domain.chat import Endpoint, Usage
from tests.unit.billing.tenant import KEY, gateway, tenant
from tests.unit.dispatch.gateway import member


@pytest.mark.parametrize("is_priced", [True, False])
def test_counting_tokens_costs_nothing_and_needs_no_money(*, is_priced: bool) -> None:
    async def scenario() -> None:
        one = gateway() if is_priced else gateway(member("gpt", "a"))
        one.upstream("a").otherwise = Act(usage=Usage(10, 20))
        caller = tenant(replace(KEY, amount_nano=1))

        served = await one.complete("gpt", caller=caller, endpoint=Endpoint.COUNT_TOKENS)

        assert served.cost_nano == 0
        assert [record.cost_nano for record in one.records()] == [0]

    run_virtual(scenario())

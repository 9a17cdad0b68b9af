from adapters.outbound.redis.event_history import RedisEventHistory
from adapters.testing.usage_journal_contract import outcome
from bootstrap import Container
from bootstrap.settings import parse_settings
from domain.budget.charge import AccountId, BudgetId
from domain.event_record import EventStream
from domain.events import BudgetDrifted
from tests.bootstrap_tests.test_container import REDIS, in_mode


async def test_a_lite_gateway_remembers_what_it_announced() -> None:
    container = Container(settings=parse_settings({}, environ={}).settings, master_key="mg_test")
    await container.usage_stream().append(outcome(1).to_bytes(), outcome(1).record_id)

    await container.drain_usage().drain()
    container.event_sink().publish(BudgetDrifted(AccountId("a"), BudgetId("team:t"), "2026-11", 1, 2))

    (recorded,) = await container.event_history().last(EventStream.USAGE, 10)
    (drifted,) = await container.event_history().last(EventStream.BUDGET, 10)
    assert recorded.fields["request_id"] == outcome(1).request_id
    assert drifted.fields["ledger_nano"] == "2"


async def test_gateways_that_share_redis_send_usage_by_a_queue_of_its_own() -> None:
    container = in_mode("full", REDIS | {"state": "redis"})

    shared = container.shared_state()

    assert container.usage_event_sink() is shared.usage_events is not shared.events
    assert isinstance(container.event_history(), RedisEventHistory)
    assert {"sending events", "sending usage events"} <= set(shared.works())

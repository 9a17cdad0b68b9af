"""What `/ready` says, and what takes a gateway out of service."""

from typing import Any

import pytest

from adapters.testing.virtual_time import ManualClock
from application.draining import Draining
from application.store_watch import StoreWatch
from application.usage.deliver_usage import CAPACITY
from application.use_cases.check_readiness import CheckReadiness
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.identifiers import InstanceId, ModelName


class Source:
    def __init__(self, *enabled: bool) -> None:
        self.enabled = enabled

    def current(self) -> tuple[Catalog, RouterPolicy]:
        members = tuple(
            Instance(InstanceId(f"i{number}"), ModelName("m"), "echo", "echo", enabled=enabled)
            for number, enabled in enumerate(self.enabled)
        )
        return Catalog({ModelName("m"): members}), RouterPolicy()


class Usage:
    """Stands for the journal and for what is on the way."""

    def __init__(self, waiting: int = 0, on_the_way: int = 0) -> None:
        self.waiting = waiting
        self.on_the_way = on_the_way


def readiness(source: Source | None = None, draining: Draining | None = None, usage: Any = None) -> CheckReadiness:
    watch = StoreWatch({}, ManualClock())
    told: Any = usage or Usage()
    return CheckReadiness(source or Source(True), draining or Draining(), watch, told, told)


def test_gateway_with_an_enabled_instance_is_ready_and_every_part_is_well() -> None:
    said = readiness(Source(False, True))()

    assert said.ready
    assert said.parts == {"models": "ok", "server": "ok"}


def test_gateway_without_an_enabled_instance_is_not_ready_and_says_why() -> None:
    said = readiness(Source(False, False))()

    assert not said.ready
    assert said.parts["models"] == "no instance is enabled"


def test_gateway_that_drains_is_not_ready() -> None:
    draining = Draining()
    asked = readiness(draining=draining)
    assert asked().ready

    draining.begin()

    assert not asked().ready
    assert asked().parts["server"] == "draining"


def test_reload_that_leaves_nothing_enabled_takes_the_gateway_out_until_the_next_one() -> None:
    source = Source(True)
    asked = readiness(source)
    source.enabled = (False,)
    assert not asked().ready

    source.enabled = (True,)

    assert asked().ready


@pytest.mark.parametrize(
    ("usage", "part", "says"),
    [
        (Usage(waiting=3), "journal", "takes nothing: 3 ends"),
        (Usage(on_the_way=CAPACITY // 2), "ledger", f"lags: {CAPACITY // 2} usage records"),
    ],
)
def test_usage_that_does_not_get_through_is_named_and_leaves_the_gateway_ready(
    usage: Usage, part: str, says: str
) -> None:
    said = readiness(usage=usage)()

    assert said.ready
    assert says in said.parts[part]


def test_a_batch_on_its_way_to_the_ledger_is_no_lag() -> None:
    assert "ledger" not in readiness(usage=Usage(on_the_way=CAPACITY // 2 - 1))().parts

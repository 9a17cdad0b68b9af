import pytest

from adapters.outbound.telemetry.story import Story
from domain.routing.decision import DecisionTrace
from tests.unit.telemetry.support import answered, trace


@pytest.mark.parametrize(
    ("ended_us", "told", "began_us"),
    [
        (1_012_000, trace(started_us=999_700), 999_655),
        (1_012_400, trace(started_us=999_700), 999_700),  # the end was told late: the decision is no earlier than it
        (1_012_400, None, 1_000_055),
    ],
)
def test_a_request_began_no_later_than_its_decision(ended_us: int, told: DecisionTrace | None, began_us: int) -> None:
    assert Story(answered(duration_us=12_345), told, ended_us).began_us == began_us

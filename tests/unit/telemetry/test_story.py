import pytest

from adapters.outbound.telemetry.story import Story
from domain.routing.decision import DecisionTrace
from tests.unit.telemetry.support import answered, trace


@pytest.mark.parametrize(
    ("ended_us", "told", "began_us"),
    [
        (1_011_300, trace(), 998_955),
        (1_011_400, trace(), 999_000),  # its end was told late: counted back from there, it began after its decision
        (1_011_400, None, 999_055),
    ],
)
def test_a_request_began_no_later_than_its_decision(ended_us: int, told: DecisionTrace | None, began_us: int) -> None:
    assert Story(answered(duration_us=12_345), told, ended_us).began_us == began_us

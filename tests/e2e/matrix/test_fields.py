"""Fields that the wires' `Heard` has no word for: each is said to the provider or refused by name, and never lost."""

import pytest

from tests.e2e.matrix.scenes import ASK, SUNNY, TOOLS
from tests.e2e.matrix.stage import Stage
from tests.e2e.matrix.told import ask, error_of
from tests.wires.all_wires import WIRES
from tests.wires.wire import Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
]
PLAIN: dict[str, object] = {"messages": [{"role": "user", "content": ASK}]}
FIELDS: tuple[tuple[str, object], ...] = (
    ("top_p", 0.25),
    ("seed", 7),
    ("presence_penalty", 0.5),
    ("frequency_penalty", 0.5),
    ("logit_bias", {"1734": -100}),
    ("logprobs", True),
    ("n", 2),
    ("reasoning_effort", "high"),
    ("verbosity", "low"),
    ("parallel_tool_calls", False),
    ("prediction", {"type": "content", "content": "It's sunny."}),
    ("response_format", {"type": "json_object"}),
)


@pytest.mark.parametrize(("field", "value"), FIELDS, ids=[name for name, _ in FIELDS])
async def test_field_is_said_to_the_provider_or_refused_by_its_name(
    stage: Stage, wire: Wire, field: str, value: object
) -> None:
    part = stage.part(wire, SUNNY)
    plain = PLAIN | ({"tools": TOOLS} if field == "parallel_tool_calls" else {})
    await ask(stage.client, part.model, plain, streamed=False)

    error = await error_of(stage.client, part.model, plain | {field: value})

    if error is None:
        without, with_it = (request.body for request in part.lane.requests)
        assert with_it != without, "the field was lost"
    else:
        assert (error.status_code, error.code, error.param) == (400, "unsupported_operation", field)
        assert len(part.lane.requests) == 1

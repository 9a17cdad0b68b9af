"""Answers that arrive byte by byte, and events of a megabyte, from every provider."""

from dataclasses import replace

import pytest

from tests.e2e.matrix.scenes import ASK, PARALLEL
from tests.e2e.matrix.stage import Part, Stage
from tests.e2e.matrix.told import Told, ask, told_by, told_of
from tests.wires.all_wires import WIRES
from tests.wires.wire import Said, Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
]
MEGABYTE = 1 << 20
# Each text is split in two at least; characters of one to four bytes, so that no length of a read suits them all.
LARGE = "Größe 漢字 🌍\n" * (3 * MEGABYTE // len("Größe 漢字 🌍\n".encode()))
SPLIT = replace(PARALLEL, text='"Zürich" 🌍 漢字\n\ndata: é', reasoning="Ich überlege: 🤔", cached_tokens=5)


async def told(stage: Stage, part: Part, *, streamed: bool) -> Told:
    """The answer to a plain question, in few words."""
    asked = {"messages": [{"role": "user", "content": ASK}]}
    return told_by(await ask(stage.client, part.model, asked, streamed=streamed))


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_answer_in_single_bytes_is_the_answer(stage: Stage, wire: Wire, streamed: bool) -> None:
    part = stage.part(wire, SPLIT, bytewise=True)

    assert await told(stage, part, streamed=streamed) == told_of(SPLIT)


async def test_events_of_a_megabyte_add_up(stage: Stage, wire: Wire) -> None:
    said = Said(text=LARGE)
    part = stage.part(wire, said)
    assert max(len(piece) for piece in wire.stream(said, part.lane.model).pieces) >= MEGABYTE

    assert await told(stage, part, streamed=True) == told_of(said)

"""Every provider in every scene, for Anthropic's official client at `/v1/messages`."""

import anthropic
import pytest

from tests.e2e.matrix.anthropic_scenes import SCENES
from tests.e2e.matrix.anthropic_told import ask, ids_of, told_by, told_of
from tests.e2e.matrix.hearing import assert_heard, assert_ids
from tests.e2e.matrix.scenes import Scene
from tests.e2e.matrix.stage import Stage
from tests.wires.all_wires import WIRES
from tests.wires.wire import Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
]
each_scene = pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])


@each_scene
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_scene_is_heard_by_the_provider_and_told_to_anthropics_client_or_refused(
    stage: Stage, wire: Wire, scene: Scene, streamed: bool
) -> None:
    part = stage.part(wire, scene.said)
    if scene.name in wire.holes:
        with pytest.raises(anthropic.BadRequestError, match="support") as refused:
            await ask(stage.anthropic, part.model, scene.asked, streamed=streamed)
        assert refused.value.type == "invalid_request_error"
        assert part.lane.requests == []
        return

    message = await ask(stage.anthropic, part.model, scene.asked, streamed=streamed)

    assert_heard(part, scene.heard, streamed=streamed)
    names_stop = message.stop_reason == "stop_sequence"
    assert told_by(message) == told_of(scene.said, names_stop=names_stop)
    # Only Anthropic's own format always names the sequence.
    assert names_stop or wire.name != "anthropic" or scene.said.finish != "stop_sequence"
    assert message.stop_sequence in {None, scene.said.stop_sequence or None}
    assert message.model == part.model
    assert message.id
    assert_ids(part, scene.said, ids_of(message))

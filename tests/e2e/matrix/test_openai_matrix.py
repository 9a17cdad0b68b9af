"""Every provider in every scene, for OpenAI's official client: what the provider heard, what the client got."""

import openai
import pytest

from tests.e2e.matrix.hearing import assert_heard, assert_ids
from tests.e2e.matrix.scenes import SCENES, Scene
from tests.e2e.matrix.stage import Stage
from tests.e2e.matrix.told import ask, ids_of, told_by, told_of
from tests.wires.all_wires import WIRES
from tests.wires.wire import Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES]),
]
each_scene = pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])


@each_scene
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_scene_is_heard_by_the_provider_and_told_to_the_client_or_refused_by_name(
    stage: Stage, wire: Wire, scene: Scene, streamed: bool
) -> None:
    part = stage.part(wire, scene.said)
    if scene.name in wire.holes:
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(stage.client, part.model, scene.asked, streamed=streamed)
        assert (refused.value.code, refused.value.param) == ("unsupported_operation", wire.holes[scene.name])
        assert part.lane.requests == []
        return

    reply = await ask(stage.client, part.model, scene.asked, streamed=streamed)

    assert_heard(part, scene.heard, streamed=streamed)
    assert told_by(reply) == told_of(scene.said)
    assert reply.model == part.model
    assert_ids(part, scene.said, ids_of(reply))


async def test_holes_are_scenes_of_the_matrix(wire: Wire) -> None:
    assert set(wire.holes) <= {scene.name for scene in SCENES}

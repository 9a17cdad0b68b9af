"""Every provider that has no responses of its own in every scene, for OpenAI's official client at `/v1/responses`."""

import openai
import pytest

from bootstrap.provider_wiring import CAPABILITIES
from domain.chat import Endpoint
from tests.e2e.matrix.hearing import assert_heard, assert_ids
from tests.e2e.matrix.responses_scenes import SCENES
from tests.e2e.matrix.responses_told import ask, ids_of, told_by, told_of
from tests.e2e.matrix.scenes import Scene
from tests.e2e.matrix.stage import Stage
from tests.wires.all_wires import WIRES
from tests.wires.wire import Wire

TRANSLATED = [wire for wire in WIRES if Endpoint.RESPONSES in CAPABILITIES[wire.name].translated]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("wire", TRANSLATED, ids=[wire.name for wire in TRANSLATED]),
]
each_scene = pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])


@each_scene
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_scene_is_heard_by_the_provider_and_told_as_a_response_or_refused(
    stage: Stage, wire: Wire, scene: Scene, streamed: bool
) -> None:
    part = stage.part(wire, scene.said)
    if scene.name in wire.holes:
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(stage.client, part.model, scene.asked, streamed=streamed)
        assert refused.value.code == "unsupported_operation"
        assert part.lane.requests == []
        return

    response = await ask(stage.client, part.model, scene.asked, streamed=streamed)

    assert_heard(part, scene.heard, streamed=streamed)
    assert told_by(response) == told_of(scene.said)
    assert (response.object, response.model) == ("response", part.model)
    assert response.id
    assert_ids(part, scene.said, ids_of(response))

"""Half-open circuits under pressure: what reaches an ailing instance that many clients ask for."""

from tests.e2e.behaviour import Behaviour, failing
from tests.e2e.fleet import Fleet
from tests.e2e.fleet_load import load_on
from tests.e2e.fleet_state import FleetState
from tests.e2e.scripted_upstream import Lane, peak_overlap
from tests.e2e.support import eventually

CLIENTS = 24
ROUNDS = 4


async def peak_of_probes(fleet: Fleet, model: str, lane: Lane, state: FleetState, at_once: int) -> int:
    """Opens the circuit of a model's only instance, lets 24 clients ask, and counts the probes under way at once.

    Probes are slow and fail, so that the circuit opens again and again.
    """
    lane.default = failing(500)

    async def tripped() -> bool:
        await fleet.chat(model)
        return state.circuit(model).get("state") == "open"

    await eventually(tripped, within_s=10, what="the circuit opens")
    # What reaches it from now on has a permit: at the trip nothing was under way.
    lane.requests.clear()
    lane.default = Behaviour(status=500, body=b"{}", delay_s=0.25)
    async with load_on(fleet, model, CLIENTS, pause_s=0.02) as load:
        await eventually(lambda: len(lane.requests) >= ROUNDS * at_once, within_s=20, what="four rounds of probes")
    assert {reply.status for reply in load.replies} <= {502, 503}
    return peak_overlap(lane.requests)

"""How an admission is undone whose attempt never ran.

As with `admit`, whoever calls it must let nothing else touch the states meanwhile.
"""

from domain.resilience import circuit_breaker
from domain.routing.admission import AdmissionRequest, Admitted, Turns
from domain.routing.instance_state import InstanceState
from domain.routing.smooth_weighted_round_robin import unpick


def withdraw(request: AdmissionRequest, admitted: Admitted, state: InstanceState, turns: Turns, now_us: int) -> bool:
    """Gives back lease, permit, charges and turns; False, and no change, where the lease is not held (any more).

    `admitted` is what `admit` answered to the request, `state` that of its instance.
    """
    if not state.leases.release(request.lease_id, now_us):
        return False
    state.requests.settle(admitted.bucket_s, -1)
    state.tokens.settle(admitted.bucket_s, -request.tokens)
    state.circuit = circuit_breaker.release(state.circuit, request.lease_id)
    for turn in admitted.turns:
        turns[turn.key] = unpick(turn.eligible, turn.picked, turns.get(turn.key, {}))
    return True

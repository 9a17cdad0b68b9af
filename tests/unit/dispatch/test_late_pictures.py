"""Plans are made by pictures that may be old; admission knows better."""

from dataclasses import replace

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.virtual_time import run_virtual
from application.errors import NoInstanceAvailable
from domain.catalog import Catalog, Instance
from domain.durations import SECOND_US
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.instance_state import InstanceView
from tests.unit.dispatch.gateway import Gateway, member, models


class LateRouting(MemoryRouting):
    """Sees every circuit closed until admission has met one that is open, as a picture does that is old."""

    late = True

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        seen = super().view(instance, kind)
        return replace(seen, circuit=CircuitState.CLOSED, due=False) if self.late else seen

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        answer = await super().admit(request)
        self.late = self.late and isinstance(answer, Admitted)
        return answer


def test_a_plan_that_met_circuits_open_by_now_is_made_again_with_its_last_resorts() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"), member("gpt", "b"))), make_routing=LateRouting)
        for name in ("a", "b"):
            force_open(gateway, name)

        served = await gateway.complete("gpt")

        assert served.trace.attempts[0].probe
        assert len(served.trace.attempts) == 1
        assert {refusal.reason for refusal in served.trace.exclusions} == {Exclusion.CIRCUIT_OPEN}

    run_virtual(scenario())


def test_a_plan_that_would_be_the_same_is_not_asked_for_again() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        force_open(gateway, "a")
        with pytest.raises(NoInstanceAvailable):
            await gateway.complete("gpt")

        assert len(gateway.last_trace().exclusions) == 1

    run_virtual(scenario())


def force_open(gateway: Gateway, name: str) -> None:
    """As consecutive failures would have, a moment ago."""
    (instance,) = (each for each in gateway.catalog.all_instances() if each.id == name)
    state = gateway.states.of(instance)
    state.circuit = replace(state.circuit, state=CircuitState.OPEN, opens=1, open_until_us=60 * SECOND_US)

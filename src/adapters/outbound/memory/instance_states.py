from domain.catalog import Instance
from domain.identifiers import InstanceId
from domain.routing.instance_state import InstanceState


class InstanceStates:
    """The states of all instances of one process: routing writes them, operators see and change them."""

    def __init__(self) -> None:
        self._states: dict[InstanceId, InstanceState] = {}

    def of(self, instance: Instance) -> InstanceState:
        """The state of `instance`; a fresh one where it was never heard of."""
        state = self._states.get(instance.id)
        if state is None:
            state = self._states[instance.id] = InstanceState()
        return state

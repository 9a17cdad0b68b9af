from collections.abc import Collection

from domain.catalog import Instance
from domain.identifiers import InstanceId
from domain.routing.instance_state import InstanceState


class InstanceStates:
    """The states of all instances of one process: routing writes them, operators see and change them."""

    def __init__(self) -> None:
        self._states: dict[InstanceId, InstanceState] = {}
        self._configured: Collection[InstanceId] | None = None
        self._departed: set[InstanceId] = set()

    def of(self, instance: Instance) -> InstanceState:
        """The state of `instance`; a fresh one where it was never heard of."""
        state = self._states.get(instance.id)
        if state is None:
            state = self._states[instance.id] = InstanceState()
            if self._configured is not None and instance.id not in self._configured:
                self._departed.add(instance.id)
        return state

    def __len__(self) -> int:
        """How many are known."""
        return len(self._states)

    def reconfigure(self, configured: Collection[InstanceId], now_us: int) -> None:
        """Instances that are not `configured` are forgotten as soon as they are idle."""
        self._configured = configured
        self._departed = self._states.keys() - configured
        self.forget_departed(now_us)

    def forget_departed(self, now_us: int) -> None:
        """Forgets who has left and is idle by now. Costs nothing while nobody has left."""
        if not self._departed:
            return
        for instance_id in [gone for gone in self._departed if not self._states[gone].leases.live(now_us)]:
            self._departed.discard(instance_id)
            del self._states[instance_id]

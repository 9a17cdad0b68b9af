"""Names of the keys that routing state lives in. One hash slot for each routing group."""

from dataclasses import dataclass

from domain.catalog import Instance
from domain.identifiers import LeaseId
from domain.latency import LatencyKind

SKETCHES = 6


@dataclass(frozen=True, slots=True)
class InstanceKeys:
    """The keys of one instance."""

    circuit: str
    window: str
    charges: str
    leases: str
    latency: str
    sketches: dict[LatencyKind, tuple[str, ...]]

    @property
    def admission(self) -> tuple[str, str, str]:
        """Those that admission reads, in its order."""
        return (self.circuit, self.charges, self.leases)


class RoutingKeys:
    """Makes the names, each once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._of: dict[tuple[str, str], InstanceKeys] = {}

    def of(self, instance: Instance) -> InstanceKeys:
        """The keys of an instance."""
        known = self._of.get((instance.routing_group, instance.id))
        return known or self._make(instance)

    def admitted(self, instance: Instance, lease_id: LeaseId) -> str:
        """The answer given to a lease, in the group of `instance`."""
        return f"{self._prefix}{{g:{instance.routing_group}}}:admitted:{lease_id}"

    def reporting(self, instance: Instance, lease_id: LeaseId, kind: LatencyKind) -> list[str]:
        """The keys that a report touches, in its order."""
        keys = self.of(instance)
        named = (keys.circuit, keys.window, keys.charges, keys.leases, keys.latency)
        return [self.admitted(instance, lease_id), *named, *keys.sketches[kind]]

    def turn(self, instance: Instance, key: str) -> str:
        """The credits of a round-robin, in the group of `instance`."""
        return f"{self._prefix}{{g:{instance.routing_group}}}:turns:{key}"

    def _make(self, instance: Instance) -> InstanceKeys:
        stem = f"{self._prefix}{{g:{instance.routing_group}}}:instance:{instance.id}:"
        made = self._of[instance.routing_group, instance.id] = InstanceKeys(
            circuit=stem + "circuit",
            window=stem + "window",
            charges=stem + "charges",
            leases=stem + "leases",
            latency=stem + "latency",
            sketches={kind: tuple(f"{stem}sketch:{kind}:{n}" for n in range(SKETCHES)) for kind in LatencyKind},
        )
        return made

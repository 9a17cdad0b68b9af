"""Whether everything that one script decides about lies in one Redis slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.settings.instance_ids import instance_ids
from bootstrap.settings.references import follow
from domain.identifiers import InstanceId, ModelName

if TYPE_CHECKING:
    from bootstrap.settings.root import Settings


@dataclass(frozen=True, slots=True)
class _Placed:
    """An instance, and the group that its state lives in."""

    instance_id: InstanceId
    model: ModelName
    group: str

    def __str__(self) -> str:
        return f"{self.instance_id!r} of {self.model!r} in {self.group!r}"


def divided_groups(settings: "Settings") -> Iterator[str]:
    """One line for each model, and each route, whose instances are in more than one routing group.

    What is disabled is never asked about, so it may lie anywhere; so may fallbacks, which are asked on their own.
    """
    by_model: dict[ModelName, list[_Placed]] = {}
    for entry, instance_id in zip(settings.models, instance_ids(settings.models), strict=True):
        if entry.enabled:
            placed = _Placed(instance_id, ModelName(entry.model_name), entry.routing_group)
            by_model.setdefault(placed.model, []).append(placed)
    for model, members in by_model.items():
        yield from _divided(f"model_list: {model!r}", members)
    for route in settings.routes:
        models = (follow(member.model_name, settings.model_aliases) for member in route.models)
        firsts = [by_model[model][0] for model in models if model in by_model]
        if route.enabled:
            yield from _divided(f"routes: {route.slug!r}", firsts)


def _divided(what: str, members: list[_Placed]) -> Iterator[str]:
    other = next((one for one in members if one.group != members[0].group), None)
    if other is not None:
        yield f"{what} has instances in different routing groups, {members[0]} and {other}; give them one routing_group"

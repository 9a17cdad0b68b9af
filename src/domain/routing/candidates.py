"""Who can serve an attempt at all, before circuits, cooldowns and limits are asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.catalog import Instance
from domain.chat import Endpoint
from domain.identifiers import InstanceId
from domain.routing.decision import Exclusion, Refusal


@dataclass(frozen=True, slots=True)
class Need:
    """What an attempt asks of an instance.

    Attributes:
        tokens: Estimated input and output together, for the context window.
        caller_tags: The caller may use only instances that carry all of these.
        wanted_tags: This request wants only instances that carry all of these.
    """

    endpoint: Endpoint
    tokens: int
    caller_tags: frozenset[str] = frozenset()
    wanted_tags: frozenset[str] = frozenset()

    def fits(self, instance: Instance) -> bool:
        """Whether the context window holds it, where that is known."""
        return instance.context_window is None or self.tokens <= instance.context_window


def eligible(
    instances: Sequence[Instance], need: Need, tried: Collection[InstanceId]
) -> tuple[list[Instance], list[Refusal]]:
    """The instances that fit `need`, in configured order, and why the others do not.

    One whose context window is too small is left out only while another one fits: the estimate may be wrong, and the
    provider's own refusal is the better answer than none.
    """
    fitting: list[Instance] = []
    too_small: list[Instance] = []
    refusals: list[Refusal] = []
    for instance in instances:
        reason = _exclusion(instance, need, tried)
        if reason is not None:
            refusals.append(Refusal(instance.id, reason))
        elif need.fits(instance):
            fitting.append(instance)
        else:
            too_small.append(instance)
    if not fitting:
        return too_small, refusals
    refusals += [Refusal(instance.id, Exclusion.CONTEXT_WINDOW) for instance in too_small]
    return fitting, refusals


def _exclusion(instance: Instance, need: Need, tried: Collection[InstanceId]) -> Exclusion | None:
    if not instance.enabled:
        return Exclusion.DISABLED
    if need.endpoint not in instance.supports:
        return Exclusion.UNSUPPORTED
    if not need.caller_tags <= instance.tags:
        return Exclusion.NOT_ALLOWED
    if not need.wanted_tags <= instance.tags:
        return Exclusion.TAG_MISMATCH
    if instance.id in tried:
        return Exclusion.ALREADY_TRIED
    return None

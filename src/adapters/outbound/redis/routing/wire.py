"""Plans, reports and answers as flat lists, the way scripts take and give them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.outbound.redis.words import Word
from domain.catalog import Instance
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState, Transition
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion, Refusal
from domain.routing.portions import portions
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf, Node, Ordered, Weighted

_REFUSAL_WORDS = 3


@dataclass(slots=True)
class FlatPlan:
    """A plan in words: instances and round-robins are numbered from 1, in the order they are met."""

    instances: list[Instance] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Node) -> "FlatPlan":
        """The words of `plan`."""
        flat = cls()
        flat._add(plan)
        return flat

    @property
    def limits(self) -> list[Word]:
        """rpm, tpm and max_parallel of each instance; "" for none."""
        return [
            "" if limit is None else limit
            for instance in self.instances
            for limit in (
                instance.limits.requests_per_minute,
                instance.limits.tokens_per_minute,
                instance.limits.max_parallel,
            )
        ]

    def _add(self, node: Node) -> None:
        match node:
            case Leaf():
                self.instances.append(node.instance)
                self.words += ("L", len(self.instances), int(node.last_resort))
            case Ordered():
                self.words += ("O", len(node.children))
                for child in node.children:
                    self._add(child)
            case Weighted():
                self.turns.append(node.key)
                self.words += ("W", len(self.turns), len(node.children))
                for name, weight, child in node.children:
                    self.words += (name, weight)
                    self._add(child)


def in_portions(request: AdmissionRequest) -> list[AdmissionRequest]:
    """The same question about so many instances as one call may ask about; one of them, where they are few."""
    parts = portions(request.plan)
    return [request] if len(parts) == 1 else [replace(request, plan=part) for part in parts]


def belated(report: AttemptReport) -> AttemptReport:
    """What is left of a report that comes late: it gives back what the attempt held, and is no news of the instance."""
    return replace(
        report, outcome=Outcome.IGNORED, latency_us=None, slow=False, cooldown=None, cooldown_us=0, cooldown_grows=False
    )


def withdrawal_words(request: AdmissionRequest, instance_count: int) -> list[Word]:
    """The arguments of `routing/withdraw` behind the time: round-robins in the order that `FlatPlan` meets them."""
    words: list[Word] = [request.lease_id, request.tokens, instance_count]
    for node in _round_robins(request.plan):
        words.append(len(node.children))
        words += (word for name, weight, _ in node.children for word in (name, weight))
    return words


def _round_robins(node: Node) -> Iterator[Weighted]:
    match node:
        case Ordered():
            for child in node.children:
                yield from _round_robins(child)
        case Weighted():
            yield node
            for _, _, child in node.children:
                yield from _round_robins(child)
        case Leaf():
            pass


def admission_of(answer: list[Any], instances: Sequence[Instance], now_us: int) -> Admitted | NotAdmitted:
    """What `routing/admit` answered."""
    if not answer[0]:
        return NotAdmitted(_refusals(answer[1:], instances))
    _, number, generation, probe, bucket_s, _, before, reason, *rest = answer
    moved = Transition(CircuitState(_text(before)), CircuitState.HALF_OPEN, _text(reason), now_us) if before else None
    refusals = _refusals(rest, instances)
    return Admitted(instances[number - 1], generation, bool(probe), bucket_s, refusals, moved)


def in_flight_of(answer: list[Any]) -> int | None:
    """Attempts of all gateways at the instance that `routing/admit` took; None where it repeated an older answer."""
    in_flight: int = answer[5]
    return in_flight if in_flight > 0 else None


def _refusals(words: list[Any], instances: Sequence[Instance]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(instances[number - 1].id, Exclusion(_text(reason)), int(wait) if wait else None)
        for number, reason, wait in zip(*(words[first::_REFUSAL_WORDS] for first in range(3)), strict=True)
    )


def report_words(report: AttemptReport, config: CircuitBreakerConfig) -> list[Word]:
    """The arguments of `routing/report` behind the time."""
    difference = "" if report.tokens_actual is None else report.tokens_actual - report.tokens_reserved
    return [
        report.lease_id,
        report.generation,
        report.bucket_s,
        report.outcome.value,
        report.latency_kind.value,
        "" if report.latency_us is None else report.latency_us,
        int(report.slow),
        difference,
        repr(report.jitter),
        report.cooldown.value if report.cooldown else "",
        report.cooldown_us,
        int(report.cooldown_grows),
        config.window_us,
        config.minimum_calls,
        repr(config.failure_rate),
        repr(config.slow_call_rate),
        config.consecutive_failures,
        config.open_duration_us,
        config.max_open_duration_us,
        config.probes_to_close,
    ]


def transition_of(answer: list[Any], now_us: int) -> Transition | None:
    """What `routing/report` answered."""
    if not answer:
        return None
    before, after, reason = (_text(word) for word in answer)
    return Transition(CircuitState(before), CircuitState(after), reason, now_us)


def _text(word: bytes | str) -> str:
    return word.decode() if isinstance(word, bytes) else word

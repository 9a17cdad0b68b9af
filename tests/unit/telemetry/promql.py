"""What an expression of PromQL says of this gateway's metrics. No parser: enough to find a name that nothing has."""

import re
from collections.abc import Iterator

from adapters.outbound.telemetry.metric import Kind, Metric
from adapters.outbound.telemetry.metrics import METRICS

TARGET_LABELS = frozenset({"instance", "job"})
_DECLARED = {metric.name: metric for metric in METRICS}
_SUFFIXES = ("_bucket", "_count", "_sum")
_USED = re.compile(r"\b(moongate_\w+)(?:\{([^}]*)\})?(\[)?")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
_SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def faults(expression: str, *texts: str) -> list[str]:
    """What is wrong with it: metrics that are not declared, used as another kind, or by labels that they don't have.

    `texts` are shown beside its result, and may name its labels.
    """
    found: list[str] = []
    known = set(TARGET_LABELS)
    for name, selector, ranged in _USED.findall(expression):
        metric = declared(name)
        if metric is None:
            found.append(f"{name}: no such metric")
            continue
        own = {*metric.labels, *TARGET_LABELS, *(("le",) if name.endswith("_bucket") else ())}
        known |= own
        found += [f"{name}: no label {label}" for label in _LABEL.findall(selector) if label not in own]
        if (metric.kind is Kind.GAUGE) is bool(ranged):
            found.append(f"{name}: a {metric.kind.value} is {'not ' if ranged else ''}to be asked for its rise")
    if not _USED.search(expression):
        found.append("no metric")
    return found + [f"no metric has {label}" for label in labels(expression, *texts) if label not in known]


def labels(expression: str, *texts: str) -> Iterator[str]:
    """Those that it groups by, and those that are shown."""
    for group in _GROUPED.findall(expression):
        yield from (label.strip() for label in group.split(","))
    for text in texts:
        yield from _SHOWN.findall(text)


def declared(name: str) -> Metric | None:
    """The metric that a sample of this name belongs to."""
    if name in _DECLARED:
        return None if _DECLARED[name].kind is Kind.HISTOGRAM else _DECLARED[name]
    owner = next((_DECLARED.get(name.removesuffix(end)) for end in _SUFFIXES if name.endswith(end)), None)
    return owner if owner is not None and owner.kind is Kind.HISTOGRAM else None


def used(expression: str) -> set[str]:
    """The declared names in it."""
    owners = (declared(name) for name, _, _ in _USED.findall(expression))
    return {metric.name for metric in owners if metric is not None}

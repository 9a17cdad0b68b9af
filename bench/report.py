"""The rounds as Markdown tables: medians, and the gateway against the bare stack."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.measure import Round

ON_REDIS = "gateway on Redis"
Rounds = Mapping[str, Sequence[Round]]
ROWS: tuple[tuple[str, str, int], ...] = (
    ("requests_per_s", "requests/s, 16 connections", 0),
    ("events_per_s", "stream events/s, 16 connections", 0),
    ("translated_events_per_s", "translated stream events/s, 16 connections", 0),
    ("hits_per_s", "cache hits/s, 16 connections", 0),
    ("hit_p50_alone_ms", "p50 ms of a cache hit, 1 connection", 3),
    ("p50_alone_ms", "p50 ms, 1 connection", 3),
    ("p99_alone_ms", "p99 ms, 1 connection", 3),
    ("p50_ms", "p50 ms, 16 connections", 3),
    ("p99_ms", "p99 ms, 16 connections", 3),
    ("cpu_us_per_request", "CPU µs per request", 0),
    ("cpu_us_per_hit", "CPU µs per cache hit", 0),
    ("cpu_us_per_event", "CPU µs per stream event, saturated", 1),
    ("cpu_us_per_translated_event", "CPU µs per translated event, saturated", 1),
    ("cpu_us_per_paced_event", "CPU µs per stream event, each alone", 1),
)
ADDED = ("p50_alone_ms", "p99_alone_ms", "p50_ms", "p99_ms")


def tables(rounds: Rounds, rss_mib: Mapping[str, float]) -> str:
    """Everything that was measured."""
    return "\n".join([*_figures(rounds, rss_mib), "", *_verdicts(rounds), "", *_of_hits(rounds)])


def _figures(rounds: Rounds, rss_mib: Mapping[str, float]) -> list[str]:
    names = list(rounds)
    lines = ["| median of the rounds | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for attribute, label, digits in ROWS:
        values = [_values(rounds[name], attribute) for name in names]
        if any(values):
            lines.append(f"| {label} | " + " | ".join(_median(found, digits) for found in values) + " |")
    for attribute in ADDED:
        label = next(label for name, label, _ in ROWS if name == attribute)
        added = [_added(rounds, name, attribute) for name in names]
        if any(added):
            lines.append(f"| added {label} | " + " | ".join(_median(found, 3) for found in added) + " |")
    lines.append("| RSS MiB after the run | " + " | ".join(f"{rss_mib[name]:.0f}" for name in names) + " |")
    return lines


def _verdicts(rounds: Rounds) -> list[str]:
    """The targets beside what was reached. Ratios are taken within a round, so that a noisy moment hits both sides."""
    if not {"bare", "gateway", "direct"} <= set(rounds):
        return []
    lines = ["| gateway / bare stack | median | lowest | highest | target |", "| --- | ---: | ---: | ---: | ---: |"]
    for label, found, target in (
        ("requests/s", _ratios(rounds, "requests_per_s"), "≥ 0.55"),
        ("stream events/s", _ratios(rounds, "events_per_s"), "≥ 0.60"),
        ("translated stream events/s", _ratios(rounds, "translated_events_per_s", beside="events_per_s"), "≥ 0.25"),
        ("requests per CPU second", _ratios(rounds, "cpu_us_per_request", _inverse), ""),
        ("events per CPU second, saturated", _ratios(rounds, "cpu_us_per_event", _inverse), ""),
        ("events per CPU second, each alone", _ratios(rounds, "cpu_us_per_paced_event", _inverse), ""),
        ("gateway's added p50 ms, 1 connection", _added(rounds, "gateway", "p50_alone_ms"), "≤ 1"),
        ("on Redis: requests/s", _ratios(rounds, "requests_per_s", name=ON_REDIS), ""),
        ("on Redis: stream events/s", _ratios(rounds, "events_per_s", name=ON_REDIS), ""),
        ("on Redis: added p50 ms, 1 connection", _added(rounds, ON_REDIS, "p50_alone_ms"), ""),
    ):
        if found:
            lines.append(f"| {label} | {median(found):.3f} | {min(found):.3f} | {max(found):.3f} | {target} |")
    return lines


def _of_hits(rounds: Rounds) -> list[str]:
    """Hits beside forwarded requests of the same target and round. A hit asks nobody: all it takes is added."""
    lines = ["| cache hits | median | lowest | highest | target |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in rounds:
        hits, forwarded = _values(rounds[name], "hits_per_s"), _values(rounds[name], "requests_per_s")
        for label, found, target in (
            (
                "hits / forwarded requests",
                [ours / theirs for ours, theirs in zip(hits, forwarded, strict=False)],
                "≥ 1.3",
            ),
            ("p50 ms, 1 connection", _values(rounds[name], "hit_p50_alone_ms"), "≤ 0.8"),
        ):
            if found:
                figures = f"{median(found):.3f} | {min(found):.3f} | {max(found):.3f}"
                lines.append(f"| {name}: {label} | {figures} | {target if name == 'gateway' else ''} |")
    return lines if len(lines) > 2 else []


def _inverse(value: float) -> float:
    return 1 / value


def _ratios(
    rounds: Rounds,
    attribute: str,
    of: Callable[[float], float] = float,
    name: str = "gateway",
    beside: str | None = None,
) -> list[float]:
    """`beside`: what the bare stack does instead, where it can't do the same."""
    ours = _values(rounds[name], attribute) if name in rounds else []
    if not ours:
        return []
    return [of(one) / of(bare) for one, bare in zip(ours, _values(rounds["bare"], beside or attribute), strict=True)]


def _added(rounds: Rounds, name: str, attribute: str) -> list[float]:
    if name == "direct" or not {name, "direct"} <= set(rounds):
        return []
    pairs = zip(_values(rounds[name], attribute), _values(rounds["direct"], attribute), strict=True)
    return [through - direct for through, direct in pairs]


def _values(rounds: Sequence[Round], attribute: str) -> list[float]:
    return [value for one in rounds if (value := getattr(one, attribute)) is not None]


def _median(values: Sequence[float], digits: int) -> str:
    return f"{median(values):,.{digits}f}" if values else ""

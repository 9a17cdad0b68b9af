"""What the gateways of the shared fleet serve. Every test asks for models of its own, so none sees another's state."""

from collections.abc import Sequence

from tests.e2e.gateway_process import instance

WEIGHTS = (5, 1, 1)
RPM = 100
MAX_PARALLEL = 5

CACHED = (
    *("herd", "flow", "left", "deserted", "empty"),
    *("early", "early-stream", "midst"),
    *("mine", "rush", "limited", "recorded"),
    *("once", "once-stream", "once-gone", "once-mine", "once-failed"),
)

# Without a slow start, so that who is back has its turns at once.
BREAKER = {"consecutive_failures": 3, "open_duration": "60s", "slow_start": "0s"}
ROUTER = {"routing_strategy": "weighted-round-robin", "circuit_breaker": BREAKER}


def weighted(model: str, base_url: str) -> list[dict[str, object]]:
    """Three instances of one model that share 5:1:1."""
    return [instance(model, base_url, f"{model}-{place}", weight=weight) for place, weight in enumerate(WEIGHTS)]


def limited(model: str, base_url: str) -> list[dict[str, object]]:
    """One instance that takes 100 requests a minute."""
    return [instance(model, base_url, rpm=RPM)]


def narrow(model: str, base_url: str) -> list[dict[str, object]]:
    """One instance that takes 5 requests at once, however long they take."""
    return [instance(model, base_url, max_parallel=MAX_PARALLEL, timeout="300s")]


def paired(model: str, base_url: str) -> list[dict[str, object]]:
    """Two instances of one model."""
    return [instance(model, base_url, f"{model}-{end}") for end in ("ill", "well")]


def weighted_route(slug: str, members: Sequence[str]) -> dict[str, object]:
    """A route whose models share 5:1:1."""
    models = [{"model_name": name, "weight": weight} for name, weight in zip(members, WEIGHTS, strict=True)]
    return {"name": slug, "slug": slug, "strategy": "weighted-round-robin", "models": models}

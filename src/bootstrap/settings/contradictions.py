"""What single values can't show: names given twice, cycles, an open door on a public address."""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bootstrap.configuration_error import spell_path
from bootstrap.settings.references import cycle_in, fallback_graph, follow
from bootstrap.settings.routing_groups import divided_groups
from domain.identifiers import ModelName

if TYPE_CHECKING:
    from bootstrap.settings.root import Settings


def contradictions(settings: "Settings") -> list[str]:
    """One line for each."""
    return [
        *_names_given_twice(settings),
        *_models_twice_in_a_route(settings),
        *_cycles(settings),
        *_open_doors(settings),
        *_impossible_spans(settings),
        *divided_groups(settings),
    ]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _repeated(names: Iterable[str]) -> Iterator[str]:
    return (name for name, count in Counter(names).items() if count > 1)


def _names_given_twice(settings: "Settings") -> Iterator[str]:
    for instance_id in _repeated(entry.id for entry in settings.models if entry.id):
        yield f"model_list: several entries have the id {instance_id!r}; give each its own"
    for slug in _repeated(route.slug for route in settings.routes):
        yield f"routes: several have the slug {slug!r}; give each its own"
    models = {entry.model_name for entry in settings.models}
    for alias in settings.model_aliases:
        if alias in models:
            yield f"{spell_path(('model_aliases', alias))}: is the name of a model; rename one of them"
    for slug in {route.slug: None for route in settings.routes}:
        if slug in models or slug in settings.model_aliases:
            kind = "a model" if slug in models else "an alias"
            yield f"routes: the slug {slug!r} is also the name of {kind}; rename one of them"


def _models_twice_in_a_route(settings: "Settings") -> Iterator[str]:
    for route in settings.routes:
        for name in _repeated(follow(member.model_name, settings.model_aliases) for member in route.models):
            yield f"routes: {route.slug!r} has the model {name!r} twice; give it once, with the sum of the weights"


def _cycles(settings: "Settings") -> Iterator[str]:
    aliases = settings.model_aliases
    chain = {ModelName(alias): (ModelName(target),) for alias, target in aliases.items()}
    found = cycle_in(chain, "model_aliases")
    if found is not None:
        yield found
        return
    for name in ("model_fallbacks", "context_window_fallbacks"):
        found = cycle_in(fallback_graph(getattr(settings.router, name), aliases), f"router.{name}")
        if found is not None:
            yield found


def _open_doors(settings: "Settings") -> Iterator[str]:
    if not settings.auth.require_auth and not is_loopback(settings.server.host):
        yield (
            f"auth.require_auth: false is allowed only where server.host is a loopback address, "
            f"found {settings.server.host!r}"
        )


def _impossible_spans(settings: "Settings") -> Iterator[str]:
    breaker = settings.router.circuit_breaker
    if breaker.max_open_duration_us < breaker.open_duration_us:
        yield "router.circuit_breaker.max_open_duration: expected at least open_duration"
    if settings.cache.max_entry_bytes > settings.cache.max_bytes:
        yield "cache.max_entry_bytes: expected at most max_bytes"

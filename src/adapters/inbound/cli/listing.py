"""Models, instances and routes as plain tables."""

from collections.abc import Iterator, Sequence

from domain.catalog import WEIGHT_SCALE, Catalog, Instance, Route

_MODELS = ("MODEL", "INSTANCE", "PROVIDER", "UPSTREAM MODEL", "PRIORITY", "WEIGHT", "RPM", "TPM", "PARALLEL", "STATE")
_ROUTES = ("ROUTE", "STRATEGY", "MODELS (WEIGHT, PRIORITY)", "FALLBACKS", "STATE")
_FALLBACKS = ("FALLBACKS OF", "MODELS", "WHEN")
_ALIASES = ("ALIAS", "MODEL")
_NONE = "-"


def catalog_tables(catalog: Catalog) -> str:
    """A table for each kind of entry that the catalog has, with an empty line between them."""
    fallbacks = [
        (name, " > ".join(targets), when)
        for table, when in (
            (catalog.fallbacks, "every attempt failed"),
            (catalog.context_window_fallbacks, "the prompt is too long"),
        )
        for name, targets in table.items()
    ]
    tables = [
        table(_MODELS, [_instance_row(instance) for instance in catalog.all_instances()]),
        table(_ROUTES, [_route_row(route) for route in catalog.routes.values()]),
        table(_FALLBACKS, fallbacks),
        table(_ALIASES, list(catalog.aliases.items())),
    ]
    return "\n\n".join(text for text in tables if text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell, two spaces between them, nothing after the last; empty without rows."""
    if not rows:
        return ""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    return "\n".join(_padded(line, widths) for line in (header, *rows))


def _padded(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _instance_row(instance: Instance) -> tuple[str, ...]:
    return (
        instance.model_name,
        instance.id,
        instance.provider,
        instance.upstream_model,
        str(instance.priority),
        _weight(instance.weight_milli),
        *_limits(instance),
        _state(instance.enabled),
    )


def _limits(instance: Instance) -> Iterator[str]:
    limits = instance.limits
    for limit in (limits.requests_per_minute, limits.tokens_per_minute, limits.max_parallel):
        yield _NONE if limit is None else str(limit)


def _route_row(route: Route) -> tuple[str, ...]:
    members = (f"{member.model_name} ({_weight(member.weight_milli)}, {member.priority})" for member in route.models)
    return (
        route.slug,
        route.strategy.value,
        ", ".join(members) or _NONE,
        " > ".join(route.fallback_models) or _NONE,
        _state(route.enabled),
    )


def _weight(weight_milli: int) -> str:
    return f"{weight_milli / WEIGHT_SCALE:g}"


def _state(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"

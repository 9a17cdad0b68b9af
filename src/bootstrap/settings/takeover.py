"""What of a configuration that is read again comes into force at once, and what waits for a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from bootstrap.settings.instance_ids import instance_ids
from bootstrap.settings.models import ModelSettings
from bootstrap.settings.root import Settings

WHOLE = frozenset({"*"})

FOLLOWS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "model_list": WHOLE,
        "model_aliases": WHOLE,
        "routes": WHOLE,
        "rate_limit": WHOLE,
        "budgets": WHOLE,
        "pricing": WHOLE,
        "router": frozenset(
            {
                "routing_strategy",
                "enable_failover",
                "instance_retry_attempts",
                "failover_timeout_multiple",
                "enable_model_fallback",
                "model_fallbacks",
                "context_window_fallbacks",
                "default_timeout_us",
                "first_byte_timeout_us",
                "idle_timeout_us",
                "connect_timeout_us",
                "max_deadline_us",
                "retry_budget",
                "drop_params",
                "circuit_breaker",
            }
        ),
        "cache": frozenset({"ttl_us", "scope"}),
        "observability": frozenset({"log_level"}),
    }
)
"""What a reload takes over, by section. Objects follow it by `bootstrap.reconfiguration`."""

NEEDS_RESTART: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "mode": WHOLE,
        "state": WHOLE,
        "server": WHOLE,
        "redis": WHOLE,
        "database": WHOLE,
        "auth": WHOLE,
        "usage": WHOLE,
        "router": frozenset({"weighted_round_robin", "health_check_interval_us"}),
        "cache": frozenset({"enabled", "max_entry_bytes", "max_bytes", "max_keyed_bytes", "url"}),
        "observability": frozenset({"log_format", "otlp_endpoint", "metrics"}),
    }
)
"""What sockets, stores, processes or whoever was let in depend on. Every key stands in one of the two tables."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """The settings to be in force, and how they differ: from those before, and from what was asked for."""

    settings: Settings
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


def take_over(running: Settings, wanted: Settings) -> Takeover:
    """`wanted`, but for what only a restart can change: that stays as it is running."""
    kept: dict[str, object] = {}
    waiting: list[str] = []
    for section, keys in NEEDS_RESTART.items():
        before, after = getattr(running, section), getattr(wanted, section)
        if keys is WHOLE:
            kept[section] = before
            waiting += _differences(section, before, after)
            continue
        stays = {key: getattr(before, key) for key in keys}
        held_back = after.model_copy(update=stays)
        kept[section] = held_back
        waiting += _differences(section, held_back, after)
    settings = wanted.model_copy(update=kept)
    changed = [
        line
        for section in FOLLOWS
        for line in _differences(section, getattr(running, section), getattr(settings, section))
    ]
    return Takeover(settings, tuple(changed), tuple(waiting))


def _differences(section: str, before: object, after: object) -> list[str]:
    """The names of the keys that differ, as the file has them; of models, the ids."""
    if before == after:
        return []
    if section == "model_list":
        return [f"model_list: {_models(before, after)}"]
    if not isinstance(before, BaseModel):
        return [section]
    fields = type(before).model_fields
    return [f"{section}.{fields[key].alias or key}" for key in fields if getattr(before, key) != getattr(after, key)]


def _models(before: object, after: object) -> str:
    """`+new -gone ~changed`."""
    old, new = _by_id(before), _by_id(after)
    said = [f"+{each}" for each in new.keys() - old.keys()]
    said += [f"-{each}" for each in old.keys() - new.keys()]
    said += [f"~{each}" for each in new.keys() & old.keys() if new[each] != old[each]]
    return " ".join(sorted(said, key=lambda word: (word[1:], word[0]))) or "another order"


def _by_id(entries: object) -> dict[str, ModelSettings]:
    models = [entry for entry in entries if isinstance(entry, ModelSettings)] if isinstance(entries, tuple) else []
    return dict(zip(instance_ids(models), models, strict=True))

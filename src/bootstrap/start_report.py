"""What a gateway says of itself when it has started: one line of the log, for machines to find again."""

import logging
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from adapters.inbound.http.use_cases import ProcessFacts
from bootstrap.announcement import base_url
from bootstrap.settings import CatalogResult, Settings
from bootstrap.settings.masking import masked

_NOT_PASSED_ON = frozenset({"", None})

_log = logging.getLogger("moongate.start")


def tell_start(
    facts: ProcessFacts,
    settings: Settings,
    configured: CatalogResult,
    stores: Mapping[str, str],
    *,
    prices_of: str,
    warnings: tuple[str, ...],
) -> None:
    """Once for all workers of one address. `stores`: what each said; `prices_of`: the day of the shipped list."""
    report = start_report(facts, settings, configured, stores, prices_of=prices_of, warnings=warnings)
    counted = report["models"]
    _log.info(
        "moongate %s serves %d models by %d instances at %s in %s mode",
        facts.version,
        counted["models"],
        counted["enabled"],
        report["address"],
        facts.mode,
        extra={"told": report},
    )


def start_report(
    facts: ProcessFacts,
    settings: Settings,
    configured: CatalogResult,
    stores: Mapping[str, str],
    *,
    prices_of: str,
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """Its fields. No credential is in it: of URLs, neither user nor password."""
    catalog = configured.catalog
    instances = list(catalog.all_instances())
    return {
        "version": facts.version,
        "python": platform.python_version(),
        "server": {name: _version_of(name) for name in ("quart", "hypercorn", "uvloop")},
        "mode": facts.mode,
        "why": facts.reason,
        "address": base_url(settings),
        "workers": settings.server.workers,
        "stores": {name: {"url": _url_of(name, settings), "said": said} for name, said in stores.items()},
        "models": {
            "models": len(catalog.instances),
            "instances": len(instances),
            "enabled": sum(instance.enabled for instance in instances),
            "routes": len(catalog.routes),
            "aliases": len(catalog.aliases),
        },
        "disabled": [instance.id for instance in instances if not instance.enabled],
        # Those of disabled instances say why.
        "warnings": [*warnings, *configured.warnings],
        "features": features(settings),
        "prices_of": prices_of,
    }


def features(settings: Settings) -> dict[str, Any]:
    """What is on, and by which policy."""
    return {
        "auth": settings.auth.require_auth,
        "cache": settings.cache.enabled,
        "metrics": settings.observability.metrics,
        "traces": settings.observability.otlp_endpoint not in _NOT_PASSED_ON,
        "rate_limits": settings.rate_limit.algorithm if settings.rate_limit.enabled else False,
        "rate_limits_on_store_failure": settings.rate_limit.on_store_failure,
        "budgets_on_store_failure": settings.budgets.on_store_failure,
        "failover": settings.router.enable_failover,
        "strategy": settings.router.routing_strategy,
    }


def _url_of(store: str, settings: Settings) -> str:
    url = settings.redis.url if store == "redis" else settings.database.url
    return masked(url.get_secret_value())


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"

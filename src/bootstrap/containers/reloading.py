"""What reads the configuration again, and brings it to whatever goes by it."""

from functools import partial
from typing import Any

from dependency_injector.providers import Callable, Object, Selector, Singleton

from bootstrap.containers.serving import ServingContainer
from bootstrap.provider_wiring import RebuildProviders
from bootstrap.reconfiguration import Reconfiguration, read_candidate
from bootstrap.reloading import Reloading


def reloading(
    base: type[ServingContainer],
    reread: Any,
    ask_supervisor: Any,
    routing: Any,
    gate: Any,
) -> tuple[Any, Any]:
    """The provider of what reads and checks, and that of `Reloading`."""
    rebuild = Singleton(
        RebuildProviders, base.in_force, base.provider_directory, base.transport, base.clock, base.randomness
    )
    read = Callable(partial, read_candidate, reread, base.in_force, rebuild, base.redactor)
    reconfiguration = Singleton(
        Reconfiguration,
        in_force=base.in_force,
        catalog_source=base.catalog_source,
        providers=base.provider_directory,
        routing=routing,
        retry_budgets=base.retry_budgets,
        gate=gate,
        admission=Selector(base.state, memory=Object(None), redis=base.degrading_admission),
        budgets_alone=base.budgets_alone,
        quoting=base.quoting,
        prices=base.prices,
        key_lookup=base.key_lookup,
        redactor=base.redactor,
    )
    return read, Singleton(Reloading, read, reconfiguration, base.last_reload, base.clock, ask_supervisor)

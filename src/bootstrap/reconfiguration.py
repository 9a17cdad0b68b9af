"""From a configuration that was read again to every object that goes by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.providers.directory import ConfiguredProviders, CurrentProviders
from adapters.outbound.telemetry.log import set_log_level
from application.authentication.key_lookup import KeyLookup
from application.billing.quoting import Quoting
from application.caller_gate import CallerGate
from application.current_prices import CurrentPrices
from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.degrading_admission import DegradingAdmission
from application.ports.routing import Routing
from application.retry_budgets import RetryBudgets
from bootstrap.configuration_error import ConfigurationError
from bootstrap.in_force import InForce
from bootstrap.price_lists import configured_price_list
from bootstrap.provider_wiring import CAPABILITIES
from bootstrap.settings import BUILT_TYPES, AnyProviderSettings, CatalogResult, Loaded, to_catalog
from bootstrap.settings.secrets import secrets_of
from bootstrap.settings.takeover import Takeover, take_over
from domain.identifiers import InstanceId
from domain.limits.limit import Algorithm
from domain.price_book import PriceList
from domain.redaction import Redactor

Reread = Callable[[], Loaded]
"""Reads the configuration as it was read at the start. Raises ConfigurationError as then."""

_PRICES = "pricing.file"
BuildProviders = Callable[[Mapping[InstanceId, AnyProviderSettings]], ConfiguredProviders]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that can be taken over: all that could fail has been done."""

    takeover: Takeover
    configured: CatalogResult
    providers: ConfiguredProviders
    price_list: PriceList | None
    secrets: frozenset[str]
    warnings: tuple[str, ...]


def read_candidate(
    reread: Reread | None, in_force: InForce, build_providers: BuildProviders, redactor: Redactor
) -> Candidate:
    """The configuration as it is read now. Changes nothing.

    Raises:
        ConfigurationError: It can't be used; what a start would say. Or there is nothing to be read.
    """
    if reread is None:
        raise ConfigurationError(["there is no file: the configuration came with the program around this gateway"])
    try:
        return _candidate(reread(), in_force, build_providers)
    except ConfigurationError as error:
        # Viewers are shown them.
        raise ConfigurationError(_cleaned(line, redactor) for line in error.lines) from error
    except Exception as error:
        # A file that nobody thought of must end no gateway. What the error says may hold a secret of that file.
        place = extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        raise ConfigurationError([f"the configuration: can't be read: {where}"]) from error


def _cleaned(line: str, redactor: Redactor) -> str:
    """Its place by itself: after a key that is called like a credential, the explanation is none."""
    place, separator, why = line.partition(": ")
    return f"{redactor.redact(place)}{separator}{redactor.redact(why)}"


def _candidate(loaded: Loaded, in_force: InForce, build_providers: BuildProviders) -> Candidate:
    takeover = take_over(in_force.settings, loaded.settings)
    configured = to_catalog(takeover.settings, BUILT_TYPES, CAPABILITIES)
    price_list = configured_price_list(takeover.settings.pricing)
    if price_list != in_force.price_list and _PRICES not in takeover.changed:
        # The same file, and other prices in it.
        takeover = replace(takeover, changed=(*takeover.changed, _PRICES))
    providers = build_providers(configured.providers)
    secrets = secrets_of(takeover.settings)
    return Candidate(takeover, configured, providers, price_list, secrets, (*loaded.warnings, *configured.warnings))


@dataclass(frozen=True, slots=True)
class Reconfiguration:
    """Brings a configuration into force: between two turns of the event loop, so that no request sees half of it.

    Requests under way go on with the catalog, the policy and the providers that they began with. Whatever else comes
    to follow the configuration gets a line in `apply`, and its keys a place in `settings.takeover.FOLLOWS`.
    """

    in_force: InForce
    catalog_source: MemoryCatalogSource
    providers: CurrentProviders
    routing: Routing
    retry_budgets: RetryBudgets
    gate: CallerGate
    admission: DegradingAdmission | None
    budgets_alone: BudgetsAlone
    quoting: Quoting
    prices: CurrentPrices
    key_lookup: KeyLookup
    redactor: Redactor

    def apply(self, candidate: Candidate) -> None:
        """Takes over. Never fails, and awaits nothing."""
        settings, configured = candidate.takeover.settings, candidate.configured
        self.catalog_source.replace(configured.catalog, configured.policy)
        self.providers.replace(candidate.providers)
        self.routing.reconfigure(configured.policy.breaker, configured.catalog)
        self.retry_budgets.reconfigure(settings.router.retry_budget.to_domain(), configured.catalog.instances)
        self.gate.reconfigure(settings.rate_limit.policy)
        if self.admission is not None:
            self.admission.reconfigure(settings.rate_limit.failure_policy)
        self.budgets_alone.reconfigure(settings.budgets.failure_policy)
        self.quoting.terms = settings.terms
        self.prices.reconfigure(candidate.price_list, require=settings.pricing.require)
        self.key_lookup.reconfigure(Algorithm(settings.rate_limit.algorithm))
        self.redactor.learn(candidate.secrets)
        set_log_level(settings.observability.log_level)
        self.in_force.settings, self.in_force.configured = settings, configured
        self.in_force.price_list = candidate.price_list

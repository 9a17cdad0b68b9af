"""What serving needs, and does not depend on which provider serves."""

from dependency_injector.providers import Callable, Singleton

from application.draining import Draining
from application.retry_budgets import RetryBudgets
from application.use_cases.check_readiness import CheckReadiness
from application.use_cases.list_models import ListModels
from bootstrap.containers.instances import InstanceContainer
from bootstrap.containers.readings import breaker_of

_Base = InstanceContainer


class ServingContainer(InstanceContainer):
    """Rules that a reload may change, and the small use cases."""

    breaker = Callable(breaker_of, _Base.catalog_source)
    retry_budget = Callable(lambda settings: settings.router.retry_budget.to_domain(), _Base.settings)
    retry_budgets = Singleton(RetryBudgets, retry_budget)

    draining = Singleton(Draining)
    list_models = Singleton(ListModels, _Base.catalog_source, _Base.started_s)
    check_readiness = Singleton(
        CheckReadiness, _Base.catalog_source, draining, _Base.store_watch, _Base.journaling, _Base.deliver_usage
    )

"""The admin API: what administrators may see and change."""

from functools import partial

from dependency_injector.providers import Callable, Object, Selector, Singleton

from adapters.inbound.http.admin.audit import audit_routes
from adapters.inbound.http.admin.budgets import budget_routes
from adapters.inbound.http.admin.dead_letters import dead_letter_routes
from adapters.inbound.http.admin.decisions import DecisionScope, decision_routes
from adapters.inbound.http.admin.events import event_routes
from adapters.inbound.http.admin.keys import key_routes
from adapters.inbound.http.admin.limits import limit_routes
from adapters.inbound.http.admin.members import member_routes
from adapters.inbound.http.admin.prices import price_routes
from adapters.inbound.http.admin.status import status_routes
from adapters.inbound.http.admin.teams import team_routes
from adapters.inbound.http.admin.usage import usage_routes
from adapters.inbound.http.admin.users import user_routes
from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.outbound.redis.decision_log import RedisDecisionLog
from adapters.outbound.sql.schema import revision
from application.administration.budget_standing import BudgetStandings
from application.administration.noting import Noting
from application.use_cases.admin.audit import ReadAudit
from application.use_cases.admin.budget_changes import OwnedBudgets
from application.use_cases.admin.budgets import AllBudgets
from application.use_cases.admin.dead_letters import AdministerDeadLetters
from application.use_cases.admin.find_principal import FindPrincipal
from application.use_cases.admin.keys import Keys
from application.use_cases.admin.members import Members
from application.use_cases.admin.prices import AllPrices
from application.use_cases.admin.status import ReadStatus
from application.use_cases.admin.teams import Teams
from application.use_cases.admin.usage import ReadUsage
from application.use_cases.admin.users import Users
from bootstrap.containers.accounting import AccountingContainer
from bootstrap.settings.shown import shown

_Base = AccountingContainer


class AdministrationContainer(AccountingContainer):
    """The tables of routes, one for each resource that does not depend on routing."""

    memory_decision_log = Singleton(MemoryDecisionLog)
    redis_decision_log = Singleton(
        RedisDecisionLog,
        _Base.redis_executor,
        _Base.redis_prefix,
        _Base.clock,
        _Base.gateway_registry,
        memory_decision_log,
    )
    decision_log = Selector(_Base.state, memory=memory_decision_log, redis=redis_decision_log)
    decision_routes = Callable(
        decision_routes,
        decision_log,
        Selector(_Base.state, memory=Object(DecisionScope.PROCESS), redis=Object(DecisionScope.FLEET)),
    )

    noting = Singleton(Noting, _Base.deed_log)
    find_principal = Singleton(FindPrincipal, _Base.admin_store)
    budget_standings = Singleton(BudgetStandings, _Base.budgets, _Base.ledger, _Base.clock)
    owned_budgets = Singleton(OwnedBudgets, _Base.admin_store, budget_standings)

    key_routes = Callable(
        key_routes,
        Singleton(Keys, _Base.admin_store, owned_budgets, _Base.clock, _Base.secrets, _Base.key_pepper.provided.value),
    )
    team_routes = Callable(team_routes, Singleton(Teams, _Base.admin_store, owned_budgets, _Base.clock, _Base.secrets))
    user_routes = Callable(user_routes, Singleton(Users, _Base.admin_store, owned_budgets, _Base.clock, _Base.secrets))
    member_routes = Callable(member_routes, Singleton(Members, _Base.admin_store, owned_budgets))
    budget_routes = Callable(budget_routes, Singleton(AllBudgets, _Base.admin_store, owned_budgets))
    audit_routes = Callable(audit_routes, Singleton(ReadAudit, _Base.admin_store, _Base.audit_log))
    price_routes = Callable(
        price_routes,
        Singleton(AllPrices, _Base.admin_store, _Base.catalog_source, _Base.prices.provided.price_of, _Base.clock),
    )
    usage_routes = Callable(usage_routes, Singleton(ReadUsage, _Base.usage_reports))
    dead_letter_routes = Callable(dead_letter_routes, Singleton(AdministerDeadLetters, _Base.usage_stream, noting))
    event_routes = Callable(event_routes, _Base.event_history)
    limit_routes = Callable(limit_routes, Callable(lambda now: now.settings.rate_limit, _Base.in_force).provider)
    read_status = Singleton(
        ReadStatus,
        clock=_Base.clock,
        started_us=_Base.clock.provided.monotonic_us.call(),
        store_watch=_Base.store_watch,
        registry=_Base.gateway_registry,
        journaling=_Base.journaling,
        deliver=_Base.deliver_usage,
        stream=_Base.usage_stream,
        spends=_Base.spends,
        last_reload=_Base.last_reload,
        find_revision=Selector(_Base.kept, memory=Object(None), sql=Callable(partial, revision, _Base.engine)),
    )
    status_routes = Callable(
        status_routes, _Base.facts, read_status, Callable(shown, _Base.in_force.provided.settings).provider
    )

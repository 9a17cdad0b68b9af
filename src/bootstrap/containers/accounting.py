"""What requests cost: reserved before, written down after, and brought to the ledger."""

from pathlib import Path

from dependency_injector.providers import Callable, List, Selector, Singleton

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.memory.budget_epoch import MemoryBudgetEpochs
from adapters.outbound.memory.budget_roll import MemoryBudgetRoll
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.outbound.memory.usage_reports import MemoryUsageReports
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.budget_epoch import RedisBudgetEpochs
from adapters.outbound.redis.budget_roll import RedisBudgetRoll
from adapters.outbound.redis.usage_stream import RedisUsageStream
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.usage_reports import SqlUsageReports
from adapters.outbound.system.usage_journal import SystemUsageJournal
from application.billing.billing import Billing
from application.billing.journaling import Journaling
from application.billing.quoting import Quoting
from application.billing.reserving import Reserving
from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.degrading_admission import DegradingAdmission
from application.fan_out import FanOut
from application.ports.usage_journal import UsageJournal
from application.spending.doubts import Doubts
from application.spending.reconciliation import Reconciliation
from application.spending.roll_call import RollCall
from application.spending.spends import Spends
from application.spending.verification import Verification
from application.usage.announced import announced_to
from application.usage.deliver_usage import DeliverUsage
from application.usage.drain_usage import DrainUsage
from application.usage.pipeline import UsagePipeline
from bootstrap.consumer_name import consumer_name
from bootstrap.containers.tenancy import TenancyContainer
from bootstrap.data_directory import prepare_data_directory
from bootstrap.stores import Stores

_Base = TenancyContainer
JOURNALS = "usage"


def _open_journal(data_dir: Path | None) -> UsageJournal:
    if data_dir is None:
        return MemoryUsageJournal()
    return SystemUsageJournal(prepare_data_directory(data_dir / JOURNALS))


def _usage_goes_through(stores: Stores) -> str:
    """Redis where all gateways have one database. A record must not end in that of another."""
    shared = stores.redis is not None and stores.database is not None and stores.database.is_remote
    return "redis" if shared else "memory"


class AccountingContainer(_Base):
    """Limits and budgets of callers, prices applied, usage."""

    budget_accounts = Singleton(BudgetAccounts)
    budgets = Selector(
        _Base.state,
        memory=Singleton(MemoryBudgets, _Base.clock, budget_accounts),
        redis=Singleton(RedisBudgets, _Base.redis_executor, _Base.redis_prefix),
    )
    budget_epochs = Selector(
        _Base.state,
        memory=Singleton(MemoryBudgetEpochs),
        redis=Singleton(RedisBudgetEpochs, _Base.redis_executor, _Base.redis_prefix),
    )
    budgets_alone = Singleton(
        BudgetsAlone, _Base.settings.provided.budgets.failure_policy, _Base.gateway_registry, _Base.clock
    )
    memory_admission = Singleton(MemoryAdmission, _Base.clock, budget_accounts)
    redis_admission = Singleton(RedisAdmission, _Base.redis_executor, _Base.redis_prefix, ends=_Base.redis_ends)
    degrading_admission = Singleton(
        DegradingAdmission,
        redis_admission,
        memory_admission,
        _Base.gateway_registry,
        _Base.settings.provided.rate_limit.failure_policy,
        budgets_alone,
    )
    caller_admission = Selector(
        _Base.state,
        memory=memory_admission,
        redis=degrading_admission,
    )

    memory_ledger = Singleton(MemoryLedger)
    ledger = Selector(_Base.kept, memory=memory_ledger, sql=Singleton(SqlLedger, _Base.engine))
    usage_reports = Selector(
        _Base.kept,
        memory=Singleton(MemoryUsageReports, memory_ledger),
        sql=Singleton(SqlUsageReports, _Base.engine),
    )
    usage_stream = Selector(
        Callable(_usage_goes_through, _Base.stores),
        memory=Singleton(MemoryUsageStream, _Base.clock),
        redis=Singleton(
            RedisUsageStream,
            _Base.redis_executor,
            _Base.redis_prefix,
            _Base.clock,
            shards=_Base.settings.provided.usage.stream_shards,
        ),
    )
    usage_journal = Singleton(_open_journal, _Base.data_dir)

    doubts = Singleton(Doubts, _Base.clock)
    budget_roll = Selector(
        _Base.state,
        memory=Singleton(MemoryBudgetRoll),
        redis=Singleton(RedisBudgetRoll, _Base.redis_executor, _Base.redis_prefix, _Base.gateway_id),
    )
    roll_call = Singleton(RollCall, budget_roll, _Base.clock)
    verification = Singleton(
        Verification, budgets, budget_epochs, ledger, _Base.lock, _Base.clock, _Base.randomness, doubts, roll_call
    )
    spends = Singleton(
        Spends, budgets, budget_epochs, verification, ledger, _Base.clock, _Base.event_sink, doubts, roll_call
    )
    reconciliation = Singleton(
        Reconciliation,
        _Base.admin_store,
        verification,
        _Base.lock,
        _Base.clock,
        _Base.randomness,
        _Base.event_sink,
        doubts,
    )
    terms = Callable(lambda settings: settings.terms, _Base.settings)
    quoting = Singleton(Quoting, _Base.prices, terms)
    journaling = Singleton(Journaling, usage_journal, _Base.clock)
    billing = Singleton(Billing, quoting, journaling, spends)
    reserving = Singleton(Reserving, budgets, quoting, spends, verification, budgets_alone, _Base.clock)

    deliver_usage = Singleton(
        DeliverUsage,
        usage_journal,
        usage_stream,
        ledger,
        _Base.clock,
        _Base.randomness,
        on_ledgered=spends.provided.ledgered,
        on_adopted=spends.provided.adopted,
        on_died=doubts.provided.add_all,
    )
    drain_usage = Singleton(
        DrainUsage,
        usage_stream,
        ledger,
        _Base.clock,
        _Base.randomness,
        Callable(consumer_name, "gateway"),
        batch_size=_Base.settings.provided.usage.batch_size,
        max_retries=_Base.settings.provided.usage.max_retries,
        on_ledgered=deliver_usage.provided.ledgered,
        on_recorded=Callable(announced_to, Singleton(FanOut, List(_Base.usage_event_sink, _Base.event_metrics))),
    )
    usage_pipeline = Singleton(UsagePipeline, usage_journal, deliver_usage, drain_usage, _Base.clock)

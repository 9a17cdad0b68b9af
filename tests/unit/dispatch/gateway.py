"""The application without adapters to the world: memory state, virtual time, scripted providers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.memory.budget_roll import MemoryBudgetRoll
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.testing.doubles import FakeProviderDirectory, InstancePrices, SeededRandomness, SpyEventSink
from adapters.testing.scripted_provider import ScriptedProvider
from adapters.testing.virtual_time import VirtualClock
from application.active_attempt import AttemptTools
from application.attempt_admission import AttemptAdmission
from application.billing.billing import Billing
from application.billing.estimate import Terms
from application.billing.journaling import Journaling
from application.billing.quoting import Quoting
from application.billing.reserving import Reserving
from application.caller_gate import CallerGate
from application.current_prices import CurrentPrices
from application.degrading.budgets_alone import BudgetsAlone
from application.degrading.store_failure import OnStoreFailure
from application.dispatch import Dispatch
from application.gateway_request import GatewayRequest
from application.lease_keeper import LeaseKeeper
from application.ports.admission import CallerAdmission
from application.ports.budget_epoch import BudgetEpoch
from application.ports.budget_roll import BudgetRoll
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.retry_budgets import RetryBudgets
from application.selection import Selection
from application.spending.doubts import Doubts
from application.spending.roll_call import RollCall
from application.spending.spends import Spends
from application.spending.verification import GRACE_US, Verification
from application.use_cases.complete import Complete
from application.use_cases.stream import Stream
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.chat import Endpoint, LlmRequest
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.limits.rate_policy import RatePolicy
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.retry_budget import RetryBudgetConfig
from domain.routing.decision import DecisionTrace
from domain.usage_record import UsageRecord
from domain.work import NO_WORK, Work

MASTER = Caller(CallerKind.MASTER, "master")


def member(model: str, name: str, **changes: Any) -> Instance:
    return replace(Instance(InstanceId(name), ModelName(model), "custom", f"upstream-{name}"), **changes)


def models(*instances: Instance) -> dict[ModelName, tuple[Instance, ...]]:
    grouped: dict[ModelName, tuple[Instance, ...]] = {}
    for instance in instances:
        grouped[instance.model_name] = (*grouped.get(instance.model_name, ()), instance)
    return grouped


class RaisedEpochs:
    """Epochs that rise when they are told to."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._number, self._since_us = 1, -GRACE_US

    def rise(self) -> None:
        self._number, self._since_us = self._number + 1, self._clock.monotonic_us()

    async def epoch(self) -> BudgetEpoch:
        return BudgetEpoch(self._number, self._clock.monotonic_us() - self._since_us)


@dataclass
class Gateway:
    """One gateway with a scripted provider for each instance."""

    catalog: Catalog
    policy: RouterPolicy = field(default_factory=RouterPolicy)
    breaker: CircuitBreakerConfig = field(default_factory=CircuitBreakerConfig)
    budget: RetryBudgetConfig = field(default_factory=RetryBudgetConfig)
    rates: RatePolicy = field(default_factory=RatePolicy)
    terms: Terms = field(default_factory=Terms)
    make_admission: Callable[[Clock], CallerAdmission] | None = None
    make_routing: type[MemoryRouting] = MemoryRouting
    roll: BudgetRoll = field(default_factory=MemoryBudgetRoll)
    make_prices: Callable[[Clock], CurrentPrices | None] = lambda _clock: None

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.events = SpyEventSink()
        self.upstreams = {instance.id: ScriptedProvider() for instance in self.catalog.all_instances()}
        self.states = InstanceStates()
        self.routing = self.make_routing(self.breaker, self.clock, self.events, self.states)
        self.leases = LeaseKeeper(self.routing, self.clock)
        self.decisions = MemoryDecisionLog()
        randomness = SeededRandomness()
        tools = AttemptTools(self.routing, self.leases, self.clock, randomness)
        self._bookkeeping(randomness)
        self.gate = CallerGate(self.admission, self.routing, self.rates, self.clock, self.reserving)
        dispatch = Dispatch(
            MemoryCatalogSource(self.catalog, replace(self.policy, breaker=self.breaker)),
            FakeProviderDirectory(self.upstreams),
            self.decisions,
            RetryBudgets(self.budget),
            AttemptAdmission(self.routing, self.gate, self.reserving, self.clock),
            Selection(self.routing, randomness, self.prices),
            Billing(self.quoting, self.journaling, self.spends),
            tools,
        )
        self._complete, self._stream = Complete(dispatch), Stream(dispatch)
        self._requests = 0

    def _bookkeeping(self, randomness: Randomness) -> None:
        clock, accounts, epochs = self.clock, BudgetAccounts(), RaisedEpochs(self.clock)
        self.accounts, self.epochs = accounts, epochs
        self.admission = (self.make_admission or partial(MemoryAdmission, accounts=accounts))(clock)
        self.budgets, self.ledger, self.journal = MemoryBudgets(clock, accounts), MemoryLedger(), MemoryUsageJournal()
        self.doubts = Doubts(clock)
        self.roll_call = RollCall(self.roll, clock)
        verification = Verification(
            self.budgets, epochs, self.ledger, MemoryLock(clock), clock, randomness, self.doubts, self.roll_call
        )
        self.verification = verification
        self.spends = Spends(
            self.budgets, epochs, verification, self.ledger, clock, self.events, self.doubts, self.roll_call
        )
        self.prices = self.make_prices(clock)
        self.quoting = Quoting(self.prices or InstancePrices(), self.terms)
        self.journaling = Journaling(self.journal, clock)
        alone = BudgetsAlone(OnStoreFailure.CLOSED, MemoryGatewayRegistry(), clock)
        self.reserving = Reserving(self.budgets, self.quoting, self.spends, verification, alone, clock)

    def lose_budgets(self) -> None:
        """As a store does that is emptied."""
        self.accounts._accounts.clear()
        self.epochs.rise()

    def records(self) -> list[UsageRecord]:
        """What the ledger is going to be told."""
        return [UsageRecord.from_bytes(entry.record) for entry in self.journal.undelivered(10_000)]

    def upstream(self, name: str) -> ScriptedProvider:
        return self.upstreams[InstanceId(name)]

    def calls(self, names: Sequence[str] = ()) -> dict[str, int]:
        return {
            str(name): len(upstream.calls)
            for name, upstream in self.upstreams.items()
            if upstream.calls and (not names or name in names)
        }

    async def complete(self, model: str, **changes: Any) -> Any:
        """Completed, by an instance."""
        return await self._complete(self.request(model, **changes))

    async def stream(self, model: str, **changes: Any) -> Any:
        """Streaming, by an instance."""
        return await self._stream(self.request(model, stream=True, **changes))

    def request(
        self,
        model: str,
        *,
        stream: bool = False,
        caller: Caller = MASTER,
        tags: frozenset[str] = frozenset(),
        timeout_us: int | None = None,
        endpoint: Endpoint = Endpoint.CHAT,
        input_tokens: int = 10,
        max_output_tokens: int | None = None,
        most_input_tokens: int | None = None,
        choices: int = 1,
        work: Work = NO_WORK,
    ) -> GatewayRequest:
        self._requests += 1
        llm = LlmRequest(
            endpoint,
            model,
            b"{}",
            {},
            stream=stream,
            input_tokens=input_tokens,
            max_output_tokens=max_output_tokens,
            most_input_tokens=input_tokens if most_input_tokens is None else most_input_tokens,
            choices=choices,
            work=work,
        )
        return GatewayRequest(RequestId(f"request-{self._requests}"), caller, llm, tags, timeout_us)

    def last_trace(self) -> DecisionTrace:
        trace = self.decisions.kept(RequestId(f"request-{self._requests}"))
        assert trace is not None
        return trace

"""What one gateway sees of the store that all share: every port asked over its link."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from application.errors import StateUnavailable
from application.ports.budget_epoch import BudgetEpoch
from domain.budget.answers import Balance, Inspection, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, BudgetPeriod, Reservation
from domain.budget.epoch import Said
from domain.catalog import Catalog, Instance
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.limits.admission import CallerAdmissionRequest, CallerAnswer
from domain.lock import Held
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.instance_state import InstanceView
from domain.routing.report import AttemptReport
from domain.usage_stream import UsageEntry
from tests.simulation.link import Link
from tests.simulation.owing import Owing
from tests.simulation.shared_store import SharedStore


@dataclass
class LinkedRouting:
    store: SharedStore
    link: Link
    owing: Owing

    def view(self, instance: Instance, kind: LatencyKind) -> InstanceView:
        return self.store.now.routing.view(instance, kind)

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        self.owing.forget(request.lease_id)
        try:
            return await self.link.ask(
                f"admit {request.lease_id}", lambda: self.store.now.instance_oracle.admit(request)
            )
        except BaseException:  # cancelled, it may have been carried out as well
            self._undo(request, was_lost=True)
            raise

    def withdraw(self, request: AdmissionRequest) -> None:
        self._undo(request, was_lost=False)

    def _undo(self, request: AdmissionRequest, *, was_lost: bool) -> None:
        async def step() -> bool:
            now = self.store.now
            was_there = request.lease_id in now.routing._held
            now.instance_oracle.withdraw(request)
            return was_there

        self.owing.post(request.lease_id, step, undoes_lost=was_lost)

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        await self.link.ask("renew", lambda: self.store.now.instance_oracle.renew(leases, lease_us))

    def observe_latency(self, instance: Instance, kind: LatencyKind, sample_us: int) -> None:
        async def step() -> None:
            self.store.now.routing.observe_latency(instance, kind, sample_us)

        self.link.send("latency", step)

    def reconfigure(self, breaker: CircuitBreakerConfig, catalog: Catalog) -> None:
        """The store is not told: what a gateway is configured for goes with each of its questions."""

    def report(self, report: AttemptReport) -> None:
        async def step() -> None:
            self.store.now.instance_oracle.report(report)

        self.owing.post(report.lease_id, step)


@dataclass
class LinkedAdmission:
    store: SharedStore
    link: Link
    owing: Owing

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        if not request.limits and request.reservation is None:
            return await self.store.now.admission.admit(request)
        self.owing.forget(request.request_id)
        try:
            return await self.link.ask(
                f"enter {request.request_id}", lambda: self.store.now.caller_oracle.admit(request)
            )
        except StateUnavailable:
            self._undo(request)
            raise

    def _undo(self, request: CallerAdmissionRequest) -> None:
        async def step() -> bool:
            now = self.store.now
            was_there = request.request_id in now.admission._held
            await now.caller_oracle.release(request)
            if request.reservation is not None:
                ended = await now.budgets.release(AccountId(request.account), request.reservation.attempt_id)
                was_there = was_there or ended is not None
            return was_there

        self.owing.post(request.request_id, step, undoes_lost=True)

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        async def step() -> bool:
            await self.store.now.caller_oracle.settle(request, actual_tokens)
            return True

        self.owing.post(request.request_id, step)

    async def release(self, request: CallerAdmissionRequest) -> None:
        async def step() -> bool:
            await self.store.now.caller_oracle.release(request)
            return True

        self.owing.post(request.request_id, step)

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        return await self.link.ask("renew", lambda: self.store.now.caller_oracle.renew(request))


@dataclass
class LinkedBudgets:
    store: SharedStore
    link: Link

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        return await self.link.ask(
            f"reserve {asked.attempt_id}", lambda: self.store.now.budgets.reserve(account, asked)
        )

    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        return await self.link.ask(
            f"settle {attempt_id}", lambda: self.store.now.budgets.settle(account, attempt_id, actual_nano)
        )

    async def release(self, account: AccountId, attempt_id: AttemptId) -> Resolved | None:
        return await self.link.ask(f"release {attempt_id}", lambda: self.store.now.budgets.release(account, attempt_id))

    async def inspect(self, account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        return await self.link.ask("inspect", lambda: self.store.now.budgets.inspect(account, asked))

    async def open_attempts(self, account: AccountId) -> Sequence[AttemptId]:
        return await self.link.ask("open", lambda: self.store.now.budgets.open_attempts(account))

    async def reseed(self, account: AccountId, of: BudgetPeriod, settled_nano: int, epoch: int) -> Balance:
        return await self.link.ask("reseed", lambda: self.store.now.budgets.reseed(account, of, settled_nano, epoch))


@dataclass
class LinkedEpochs:
    store: SharedStore
    link: Link

    async def epoch(self) -> BudgetEpoch:
        async def step() -> BudgetEpoch:
            return self.store.epoch()

        return await self.link.ask("epoch", step)


@dataclass
class LinkedRoll:
    store: SharedStore
    link: Link
    name: str

    async def answer(self, epoch: int) -> Mapping[str, Said]:
        async def step() -> Mapping[str, Said]:
            return self.store.answer_roll(self.name, epoch)

        return await self.link.ask("roll", step)


@dataclass
class LinkedLock:
    store: SharedStore
    link: Link

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        return await self.link.ask(f"lock {name}", lambda: self.store.now.lock.acquire(name, owner, ttl_us))

    async def extend(self, name: str, owner: str, ttl_us: int) -> bool:
        return await self.link.ask(f"extend {name}", lambda: self.store.now.lock.extend(name, owner, ttl_us))

    async def release(self, name: str, owner: str) -> bool:
        return await self.link.ask(f"unlock {name}", lambda: self.store.now.lock.release(name, owner))


class LinkedStream:
    """Every method of the stream, over the link."""

    def __init__(self, store: SharedStore, link: Link) -> None:
        self._store = store
        self._link = link

    async def append(self, record: bytes, record_id: str) -> bool:
        return await self._link.ask(
            f"append {record_id}", lambda: self._store.now.stream_oracle.append(record, record_id)
        )

    async def read(self, consumer: str, count: int, block_us: int) -> Sequence[UsageEntry]:
        del block_us  # nobody here waits for it
        return await self._link.ask("read", lambda: self._store.now.stream.read(consumer, count, 0))

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        return await self._link.ask(
            f"ack {' '.join(sorted(record_ids))}", lambda: self._store.now.stream_oracle.acknowledge(record_ids)
        )

    def __getattr__(self, name: str) -> Any:
        async def asked(*args: Any) -> Any:
            return await self._link.ask(name, lambda: getattr(self._store.now.stream, name)(*args))

        return asked


class LinkedLedger:
    """The ledger that all gateways write, each over its own link."""

    def __init__(self, ledger: Any, link: Link) -> None:
        self._ledger = ledger
        self._link = link

    async def insert(self, records: Sequence[Any]) -> int:
        named = " ".join(record.record_id for record in records)
        return await self._link.ask(f"insert {named}", lambda: self._ledger.insert(records))

    async def known(self, record_ids: Collection[str]) -> frozenset[str]:
        return await self._link.ask("known", lambda: self._ledger.known(record_ids))

    async def spent(self, periods: Sequence[BudgetPeriod], among: Collection[str]) -> Any:
        return await self._link.ask("spent", lambda: self._ledger.spent(periods, among))

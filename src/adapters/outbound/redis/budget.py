from collections.abc import Sequence
from typing import Any

from adapters.outbound.redis.budget_wire import NEVER, asked_words, budget_keys, reserve_answer, resolved, text
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.budget import Budgets
from domain.budget.answers import Balance, Inspection, Orphan, Refused, Reserved, Resolved, Unverified
from domain.budget.charge import AccountId, AttemptId, BudgetPeriod, Reservation, check_epoch, whole_nano


class RedisBudgets:
    """Budgets that all gateways share; one account's lie in one slot."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        return reserve_answer(asked, await self._call("reserve", account, *asked_words(asked)))

    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        lines = await self._call("settle", account, str(attempt_id), whole_nano(actual_nano))
        return resolved(lines) if lines else None

    async def release(self, account: AccountId, attempt_id: AttemptId) -> Resolved | None:
        lines = await self._call("release", account, str(attempt_id))
        return resolved(lines) if lines else None

    async def inspect(self, account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        words: list[Word] = []
        for of in asked:
            words += (of.name, of.series, of.period.starts_us)
        balances, orphans = await self._call("inspect", account, *words)
        return Inspection(
            tuple(_balance(balances[first : first + 3]) for first in range(0, len(balances), 3)),
            tuple(_orphan(orphans[first : first + 3]) for first in range(0, len(orphans), 3)),
        )

    async def open_attempts(self, account: AccountId) -> Sequence[AttemptId]:
        return [AttemptId.parse(name) for name in await self._call("open", account)]

    async def reseed(self, account: AccountId, of: BudgetPeriod, settled_nano: int, epoch: int) -> Balance:
        check_epoch(epoch)
        words: list[Word] = [of.name, of.series, whole_nano(settled_nano), epoch]
        return _balance(await self._call("reseed", account, *words, of.period.starts_us, of.period.ends_us or NEVER))

    async def _call(self, verb: str, account: AccountId, *words: Word) -> list[Any]:
        keys = budget_keys(self._prefix, account)
        answer: list[Any] = await self._executor.call(f"budget/{verb}", keys, (self._now(), *words))
        return text(answer)


def _balance(lines: list[str]) -> Balance:
    settled, reserved, epoch = map(int, lines)
    return Balance(settled, reserved, epoch)


def _orphan(lines: list[str]) -> Orphan:
    attempt, amount, expires = lines
    return Orphan(AttemptId.parse(attempt), int(amount), int(expires))


_conforms: type[Budgets] = RedisBudgets

from typing import Any

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.budget import Budgets
from domain.budget.answers import (
    Balance,
    Inspection,
    Orphan,
    Refused,
    Reserved,
    ResolutionKind,
    Resolved,
    Standing,
    Unverified,
)
from domain.budget.charge import (
    AccountId,
    AttemptId,
    BudgetId,
    BudgetPeriod,
    Reservation,
    check_epoch,
    whole_nano,
)

_HEAD = 4
_STANDING = 6
_NEVER = 0


class RedisBudgets:
    """Budgets that all gateways share; one account's lie in one slot."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now

    async def reserve(self, account: AccountId, asked: Reservation) -> Reserved | Refused | Unverified | Resolved:
        words: list[Word] = [str(asked.attempt_id), asked.amount_nano, asked.epoch, asked.ttl_us]
        for charge in asked.charges:
            period = charge.of.period
            words += (charge.of.name, charge.of.series, charge.limit_nano, int(charge.hard))
            words += (period.starts_us, period.ends_us or _NEVER)
        lines = await self._call("reserve", account, *words)
        match lines[0]:
            case "refused":
                charge = asked.charges[int(lines[1]) - 1]
                of = charge.of
                return Refused(of.budget, of.period.id, charge.limit_nano, int(lines[2]), int(lines[3]))
            case "unverified":
                return Unverified(tuple(asked.charges[int(number) - 1].of.budget for number in lines[1:]))
            case "open":
                return Reserved(int(lines[1]), int(lines[3]), _standings(lines))
            case _:
                return _resolved(lines)

    async def settle(self, account: AccountId, attempt_id: AttemptId, actual_nano: int) -> Resolved | None:
        lines = await self._call("settle", account, str(attempt_id), whole_nano(actual_nano))
        return _resolved(lines) if lines else None

    async def release(self, account: AccountId, attempt_id: AttemptId) -> Resolved | None:
        lines = await self._call("release", account, str(attempt_id))
        return _resolved(lines) if lines else None

    async def inspect(self, account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        words: list[Word] = []
        for of in asked:
            words += (of.name, of.series, of.period.starts_us)
        balances, orphans = await self._call("inspect", account, *words)
        return Inspection(
            tuple(_balance(balances[first : first + 3]) for first in range(0, len(balances), 3)),
            tuple(_orphan(orphans[first : first + 3]) for first in range(0, len(orphans), 3)),
        )

    async def reseed(self, account: AccountId, of: BudgetPeriod, settled_nano: int, epoch: int) -> Balance:
        check_epoch(epoch)
        words: list[Word] = [of.name, of.series, whole_nano(settled_nano), epoch]
        return _balance(await self._call("reseed", account, *words, of.period.starts_us, of.period.ends_us or _NEVER))

    async def _call(self, verb: str, account: AccountId, *words: Word) -> list[Any]:
        state = f"{self._prefix}{{t:{account}}}:budget"
        keys = (state, f"{state}:open", f"{state}:due")
        answer: list[Any] = await self._executor.call(f"budget/{verb}", keys, (self._now(), *words))
        return _text(answer)


def _text(answer: list[Any]) -> list[Any]:
    return [_text(part) if isinstance(part, list) else part.decode() for part in answer]


def _resolved(lines: list[str]) -> Resolved:
    return Resolved(ResolutionKind(lines[0]), int(lines[1]), int(lines[2]), _standings(lines))


def _standings(lines: list[str]) -> tuple[Standing, ...]:
    return tuple(_standing(lines[first : first + _STANDING]) for first in range(_HEAD, len(lines), _STANDING))


def _standing(lines: list[str]) -> Standing:
    name, limit, hard, verified, settled, reserved = lines
    budget, _, period_id = name.rpartition("|")
    return Standing(BudgetId(budget), period_id, int(limit), hard == "1", verified == "1", int(settled), int(reserved))


def _balance(lines: list[str]) -> Balance:
    settled, reserved, epoch = map(int, lines)
    return Balance(settled, reserved, epoch)


def _orphan(lines: list[str]) -> Orphan:
    attempt, amount, expires = lines
    return Orphan(AttemptId.parse(attempt), int(amount), int(expires))


_conforms: type[Budgets] = RedisBudgets

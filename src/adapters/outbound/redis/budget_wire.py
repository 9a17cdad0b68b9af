"""How reservations and their ends are written in words for scripts, and read from what these answer."""

from typing import Any

from adapters.outbound.redis.words import Word
from domain.budget.answers import Refused, Reserved, ResolutionKind, Resolved, Standing, Unverified
from domain.budget.charge import BudgetId, Reservation

NEVER = 0
_HEAD = 4
_STANDING = 6


def budget_keys(prefix: str, account: str) -> tuple[str, str, str]:
    """Where the budgets of an account lie: the state, what is open, and what is due when."""
    state = f"{prefix}{{t:{account}}}:budget"
    return state, f"{state}:open", f"{state}:due"


def asked_words(asked: Reservation) -> list[Word]:
    """A reservation as `budget/reserve` takes it."""
    words: list[Word] = [str(asked.attempt_id), asked.amount_nano, asked.epoch, asked.ttl_us]
    for charge in asked.charges:
        period = charge.of.period
        words += (charge.of.name, charge.of.series, charge.limit_nano, int(charge.hard))
        words += (period.starts_us, period.ends_us or NEVER)
    return words


def reserve_answer(asked: Reservation, lines: list[str]) -> Reserved | Refused | Unverified | Resolved:
    """What `budget/reserve` answered."""
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
            return resolved(lines)


def resolved(lines: list[str]) -> Resolved:
    """The end of a reservation."""
    return Resolved(ResolutionKind(lines[0]), int(lines[1]), int(lines[2]), _standings(lines))


def text(answer: list[Any]) -> list[Any]:
    """Nested lists of bytes as text."""
    return [text(part) if isinstance(part, list) else part.decode() for part in answer]


def _standings(lines: list[str]) -> tuple[Standing, ...]:
    return tuple(_standing(lines[first : first + _STANDING]) for first in range(_HEAD, len(lines), _STANDING))


def _standing(lines: list[str]) -> Standing:
    name, limit, hard, verified, settled, reserved = lines
    budget, _, period_id = name.rpartition("|")
    return Standing(BudgetId(budget), period_id, int(limit), hard == "1", verified == "1", int(settled), int(reserved))

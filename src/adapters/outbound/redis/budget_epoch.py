import asyncio
from collections.abc import Iterable
from functools import lru_cache
from itertools import count

from redis.crc import key_slot

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from application.ports.budget_epoch import BudgetEpoch, BudgetEpochs
from domain.budget.epoch import EpochMark, find

CLUSTER_MARKS = 64
_SLOTS = 16_384
# A loss is marked, then the other servers are told, then what somebody else did meanwhile; more is for next time.
_ROUNDS = 3


class RedisBudgetEpochs:
    """Marks on every server tell whether it still has the data it had: one where there is one server, 64 in a Cluster.

    They lie in as many equal parts of the slots, so each server that has a 32nd of the slots has one at least. A mark
    that is missing, or was written before its server was restarted or replaced, is a loss. So is, though nothing is
    lost then, the first replica that a server is given. A server emptied twice within milliseconds may show one loss
    only.

    Attributes:
        known: The highest epoch heard of, from before this process, too: the next loss is numbered higher.
    """

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time, known: int = 0) -> None:
        self._executor = executor
        self._now = now
        tags = _tags(CLUSTER_MARKS)[: CLUSTER_MARKS if executor.has_slots else 1]
        self._keys = [f"{prefix}{{{tag}}}:budget-epoch" for tag in tags]
        self.known = known

    async def epoch(self) -> BudgetEpoch:
        marks = dict(enumerate(await self._ask(range(len(self._keys)), "never")))
        found = find(list(marks.values()), self.known)
        for _ in range(_ROUNDS):
            places = found.lost or found.behind
            if not places:
                break
            missing = [place for place in places if not marks[place].vouched]
            lower = [place for place in places if marks[place].vouched]
            said = await asyncio.gather(
                self._ask(missing, "unvouched", found.number, found.age_us),
                self._ask(lower, "lower", found.number, found.age_us),
            )
            marks.update(zip((*missing, *lower), (*said[0], *said[1]), strict=True))
            found = find(list(marks.values()), self.known)
        self.known = max(self.known, found.number)
        return BudgetEpoch(found.number, found.age_us)

    async def _ask(self, places: Iterable[int], condition: str, number: int = 0, age_us: int = 0) -> list[EpochMark]:
        words = (self._now(), condition, number, age_us)
        return [
            EpochMark(number, age_us, bool(vouched), history.decode())
            for number, age_us, vouched, history in await asyncio.gather(
                *(self._executor.call("budget/epoch", [self._keys[place]], words) for place in places)
            )
        ]


@lru_cache
def _tags(parts: int) -> tuple[str, ...]:
    """The first tag in each of so many equal parts of the slots."""
    found: dict[int, str] = {}
    for number in count():
        tag = f"e:{number}"
        found.setdefault(key_slot(tag.encode()) * parts // _SLOTS, tag)
        if len(found) == parts:
            break
    return tuple(found[part] for part in range(parts))


_conforms: type[BudgetEpochs] = RedisBudgetEpochs

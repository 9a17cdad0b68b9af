from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.outbound.redis.budget_wire import asked_words, budget_keys, reserve_answer, text
from adapters.outbound.redis.ends import End, Ends
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.admission import CallerAdmission
from domain.budget.answers import Refused, Unverified
from domain.budget.charge import Reservation
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused, Standing
from domain.limits.decision import Decision
from domain.limits.limit import LARGEST_AMOUNT, Algorithm, Limit, LimitKind

# A limit that is counted in another way from now on starts anew, under another key.
_SHORT = {
    Algorithm.SLIDING_WINDOW: "sw",
    Algorithm.TOKEN_BUCKET: "tb",
    Algorithm.FIXED_WINDOW: "fw",
    Algorithm.LEASES: "ls",
}
_NEVER = -1


class RedisAdmission:
    """Limits and budgets of a fleet: what concerns one account lies in one slot and is decided by one script."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time, ends: Ends | None = None) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now
        self._ends = ends

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        if request.reservation is not None:
            return await self._enter(request, request.reservation)
        if not request.limits:
            return CallerAdmitted(())
        words = (self._now(), request.request_id, request.lease_us, len(request.limits))
        asked = _asked(request.limits, request.tokens)
        answer = await self._ask(request, "admission/admit", self._keys(request, request.limits), (*words, *asked))
        return _refused(request, answer) if answer[0] == 0 else _admitted(request, answer[1:])

    async def _enter(self, request: CallerAdmissionRequest, reservation: Reservation) -> CallerAnswer:
        keys = (*budget_keys(self._prefix, request.account), *self._keys(request, request.limits))
        words = (self._now(), request.request_id, request.lease_us, len(request.limits))
        asked = (*_asked(request.limits, request.tokens), *asked_words(reservation))
        answer = await self._ask(request, "admission/enter", keys, (*words, *asked))
        if answer[0] == 0:
            return _refused(request, answer)
        reserved = reserve_answer(reservation, text(answer[-1]))
        if isinstance(reserved, Refused | Unverified):
            return reserved
        return replace(_admitted(request, answer[1]), reserved=reserved)

    async def _ask(
        self, request: CallerAdmissionRequest, script: str, keys: Sequence[str], words: Sequence[Word]
    ) -> list[Any]:
        answer: list[Any]
        if self._ends is None:
            answer = await self._executor.call(script, keys, words)
        else:
            answer = await self._ends.admit(request.request_id, script, keys, words, lambda: self._withdrawal(request))
        return answer

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        kinds = {LimitKind.PARALLEL} if actual_tokens is None else {LimitKind.PARALLEL, LimitKind.TOKENS}
        await self._end(request, [limit for limit in request.limits if limit.kind in kinds], actual_tokens or 0)

    async def release(self, request: CallerAdmissionRequest) -> None:
        await self._end(request, request.limits, 0)

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        slots = [limit for limit in request.limits if limit.kind is LimitKind.PARALLEL]
        if not slots:
            return True
        keys = [self._key(request.account, limit) for limit in slots]
        held = await self._executor.call("admission/renew", keys, (self._now(), request.request_id, request.lease_us))
        return bool(held)

    async def _end(self, request: CallerAdmissionRequest, limits: Sequence[Limit], actual: int) -> None:
        if not request.limits:
            return
        question = self._ending(request, limits, actual)
        if self._ends is None:
            await self._executor.call(*question)
        else:
            await self._ends.post(End(request.request_id, *question, until_taken=False))

    def _withdrawal(self, request: CallerAdmissionRequest) -> End:
        if request.reservation is None:
            return End(request.request_id, *self._ending(request, request.limits, 0), until_taken=True)
        keys = (*budget_keys(self._prefix, request.account), *self._keys(request, request.limits))
        charged = _asked(request.limits, request.tokens)
        words = (self._now(), request.request_id, str(request.reservation.attempt_id), len(request.limits), *charged)
        return End(request.request_id, "admission/withdraw", keys, words, until_taken=True)

    def _ending(
        self, request: CallerAdmissionRequest, limits: Sequence[Limit], actual: int
    ) -> tuple[str, list[str], tuple[Word, ...]]:
        charged = _asked(limits, request.tokens)
        words = (self._now(), request.request_id, min(actual, LARGEST_AMOUNT), len(limits), *charged)
        return "admission/settle", self._keys(request, limits), words

    def _keys(self, request: CallerAdmissionRequest, limits: Sequence[Limit]) -> list[str]:
        record = f"{self._prefix}{{t:{request.account}}}:admitted:{request.request_id}"
        return [record, *(self._key(request.account, limit) for limit in limits)]

    def _key(self, account: str, limit: Limit) -> str:
        return f"{self._prefix}{{t:{account}}}:{_SHORT[limit.algorithm]}:{limit.name}"


def _asked(limits: Sequence[Limit], tokens: int) -> list[Word]:
    return [word for limit in limits for word in (limit.algorithm.value, limit.limit, limit.amount(tokens))]


def _admitted(request: CallerAdmissionRequest, answer: list[int]) -> CallerAdmitted:
    left = zip(request.limits, answer[::2], answer[1::2], strict=True)
    return CallerAdmitted(
        tuple(Standing(limit, Decision(True, remaining, 0, reset_us)) for limit, remaining, reset_us in left)
    )


def _refused(request: CallerAdmissionRequest, answer: list[int]) -> CallerRefused:
    _, number, remaining, retry_after_us, reset_after_us = answer
    wait_us = None if retry_after_us == _NEVER else retry_after_us
    return CallerRefused(request.limits[number - 1], Decision(False, remaining, wait_us, reset_after_us))


_conforms: type[CallerAdmission] = RedisAdmission

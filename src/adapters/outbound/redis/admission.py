from collections.abc import Sequence

from adapters.outbound.redis.ends import End, Ends
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.admission import CallerAdmission
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerRefused, Standing
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
    """Limits of a fleet: what concerns one account lies in the slot `{t:<account>}` and is decided by one script."""

    def __init__(self, executor: RedisExecutor, prefix: str, now: Now = server_time, ends: Ends | None = None) -> None:
        self._executor = executor
        self._prefix = prefix
        self._now = now
        self._ends = ends

    async def admit(self, request: CallerAdmissionRequest) -> CallerAdmitted | CallerRefused:
        if not request.limits:
            return CallerAdmitted(())
        asked = _asked(request.limits, request.tokens)
        question = (
            "admission/admit",
            self._keys(request, request.limits),
            (self._now(), request.request_id, request.lease_us, len(request.limits), *asked),
        )
        answer: list[int]
        if self._ends is None:
            answer = await self._executor.call(*question)
        else:
            answer = await self._ends.admit(request.request_id, *question, lambda: self._release(request))
        return _refused(request, answer) if answer[0] == 0 else _admitted(request, answer)

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        kinds = {LimitKind.PARALLEL} if actual_tokens is None else {LimitKind.PARALLEL, LimitKind.TOKENS}
        await self._end(request, [limit for limit in request.limits if limit.kind in kinds], actual_tokens or 0)

    async def release(self, request: CallerAdmissionRequest) -> None:
        await self._end(request, request.limits, 0)

    def _release(self, request: CallerAdmissionRequest) -> End:
        return End(request.request_id, *self._ending(request, request.limits, 0), until_taken=True)

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
    left = zip(request.limits, answer[1::2], answer[2::2], strict=True)
    return CallerAdmitted(
        tuple(Standing(limit, Decision(True, remaining, 0, reset_us)) for limit, remaining, reset_us in left)
    )


def _refused(request: CallerAdmissionRequest, answer: list[int]) -> CallerRefused:
    _, number, remaining, retry_after_us, reset_after_us = answer
    wait_us = None if retry_after_us == _NEVER else retry_after_us
    return CallerRefused(request.limits[number - 1], Decision(False, remaining, wait_us, reset_after_us))


_conforms: type[CallerAdmission] = RedisAdmission

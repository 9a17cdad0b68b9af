"""The same random history in memory and in Lua: equal replies, step by step."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.ports.admission import CallerAdmission
from domain.durations import MINUTE_US, SECOND_US
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAnswer
from domain.limits.limit import LARGEST_LIMIT, Algorithm, Limit, LimitKind
from tests.examples import examples
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

Answer = CallerAnswer | bool | None
Step = tuple[str, int, int, int]

HISTORIES = examples(200)
LEASE_US = 20 * SECOND_US
# Requests from this number on come from a gateway that knows other limits already.
RELOADED = 6
GAPS_US = st.one_of(
    st.just(0),
    st.integers(0, 3_000),
    st.sampled_from(
        [SECOND_US - 1, SECOND_US, LEASE_US, 59 * SECOND_US, MINUTE_US, 61 * SECOND_US - 1, 61 * SECOND_US]
    ),
    st.integers(0, 70 * SECOND_US),
)
# As large as the arithmetic allows, and beyond: here digits are lost, if anywhere.
LIMITS = st.one_of(st.integers(1, 12), st.integers(1, LARGEST_LIMIT), st.just(LARGEST_LIMIT))
SHARES = st.one_of(st.sampled_from([0, 1, 49, 50, 51, 100, 101, 10**14]), st.integers(0, 130))
VERBS = ("admit", "admit", "admit", "settle", "settle", "release", "renew")
# verb, number of the request, gap before the step, and tokens as a percentage of the limit
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 7), GAPS_US, SHARES), min_size=1, max_size=25)

_prefixes = (f"history-{number}:" for number in itertools.count())


@dataclass
class Fleet:
    """One server and the loop on which it is talked to."""

    runner: asyncio.Runner
    executor: RedisExecutor


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    async def connected(url: str) -> RedisExecutor:
        executor = RedisExecutor(connect(url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        await executor.load()
        return executor

    with standalone(valkey_binary()) as server, asyncio.Runner() as runner:
        executor = runner.run(connected(server.url))
        yield Fleet(runner, executor)
        runner.run(executor.aclose())


async def answer(admission: CallerAdmission, verb: str, request: CallerAdmissionRequest, tokens: int) -> Answer:
    match verb:
        case "admit":
            return await admission.admit(request)
        case "renew":
            return await admission.renew(request)
        case "settle":
            await admission.settle(request, tokens)
        case _:
            await admission.release(request)
    return None


async def replay(
    admission: CallerAdmission, clock: ManualClock, limits: list[Limit], steps: list[Step]
) -> list[Answer]:
    requests: dict[int, CallerAdmissionRequest] = {}
    answers = []
    for verb, number, gap_us, share in steps:
        clock.advance(gap_us)
        tokens = share * max(limit.limit for limit in limits) // 100
        own = limits if number < RELOADED else [replace(limit, limit=limit.limit // 2 + 1) for limit in limits]
        request_id = RequestId(f"request-{number}")
        request = requests.get(number) or CallerAdmissionRequest(request_id, "a", tuple(own), tokens, LEASE_US)
        if verb == "admit":
            requests[number] = request
        answers.append(await answer(admission, verb, request, tokens))
    peek = CallerAdmissionRequest(RequestId("peek"), "a", tuple(limits), 0, LEASE_US)
    return [*answers, await admission.admit(peek)]


def compare(fleet: Fleet, limits: list[Limit], start_us: int, steps: list[Step]) -> None:
    memory_clock, redis_clock = ManualClock(EPOCH_US + start_us), ManualClock(EPOCH_US + start_us)
    in_redis = RedisAdmission(fleet.executor, next(_prefixes), lambda: str(redis_clock.now_us()))
    expected = asyncio.run(replay(MemoryAdmission(memory_clock), memory_clock, limits, steps))

    assert fleet.runner.run(replay(in_redis, redis_clock, limits, steps)) == expected


def of_a_minute(algorithm: Algorithm, kind: LimitKind, limit: int) -> Limit:
    return Limit(f"{kind}:{algorithm}", kind, limit, algorithm)


@pytest.mark.parametrize("algorithm", [Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW])
@pytest.mark.parametrize("kind", [LimitKind.REQUESTS, LimitKind.TOKENS])
def test_one_limit_answers_the_same_in_memory_and_in_lua(fleet: Fleet, algorithm: Algorithm, kind: LimitKind) -> None:
    @settings(max_examples=HISTORIES)
    @given(LIMITS, st.integers(0, MINUTE_US), STEPS)
    def histories(limit: int, start_us: int, steps: list[Step]) -> None:
        compare(fleet, [of_a_minute(algorithm, kind, limit)], start_us, steps)

    histories()


def test_slots_answer_the_same_in_memory_and_in_lua(fleet: Fleet) -> None:
    @settings(max_examples=HISTORIES)
    @given(st.integers(1, 4), st.integers(0, MINUTE_US), STEPS)
    def histories(limit: int, start_us: int, steps: list[Step]) -> None:
        compare(fleet, [Limit("slots", LimitKind.PARALLEL, limit, Algorithm.LEASES)], start_us, steps)

    histories()


def test_all_limits_together_answer_the_same_in_memory_and_in_lua(fleet: Fleet) -> None:
    of_each = [
        of_a_minute(algorithm, kind, 1)
        for algorithm in (Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW)
        for kind in (LimitKind.REQUESTS, LimitKind.TOKENS)
    ]
    several = [*of_each, Limit("slots", LimitKind.PARALLEL, 1, Algorithm.LEASES)]
    chosen = st.lists(st.tuples(st.sampled_from(several), st.integers(1, 9)), unique_by=lambda pair: pair[0].name)

    @settings(max_examples=HISTORIES)
    @given(chosen.filter(bool), st.integers(0, MINUTE_US), STEPS)
    def histories(pairs: list[tuple[Limit, int]], start_us: int, steps: list[Step]) -> None:
        limits = [Limit(limit.name, limit.kind, number, limit.algorithm) for limit, number in pairs]
        compare(fleet, limits, start_us, steps)

    histories()

"""A gateway process for tests: asks for admissions as fast as it can and prints how many it got.

Arguments: URL, prefix, virtual time or "", algorithm, limit, how many to ask for, a name for its requests.
"""

import asyncio
import sys

from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.admission.harness import AdmissionHarness, rpm
from adapters.testing.virtual_time import ManualClock
from domain.limits.admission import CallerAdmitted
from domain.limits.limit import Algorithm

PATIENT = Timeouts(command_us=5_000_000, connect_us=5_000_000)


async def main(url: str, prefix: str, now_us: str, algorithm: str, limit: int, count: int, name: str) -> None:
    executor = RedisExecutor(connect(url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
    harness = AdmissionHarness(RedisAdmission(executor, prefix, lambda: now_us), ManualClock(), name=name)
    answers = await asyncio.gather(*(harness.admit(rpm(limit, Algorithm(algorithm))) for _ in range(count)))
    await executor.aclose()
    sys.stdout.write(f"{sum(isinstance(answer, CallerAdmitted) for answer in answers)}\n")


if __name__ == "__main__":
    url, prefix, now_us, algorithm, limit, count, name = sys.argv[1:]
    asyncio.run(main(url, prefix, now_us, algorithm, int(limit), int(count), name))

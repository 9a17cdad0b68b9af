"""What is measured of the way to Redis, on every kind of server."""

import asyncio

from adapters.outbound.redis.executor import RedisExecutor


async def test_what_is_asked_is_counted_until_it_is_answered_and_its_round_trips_are_told(
    redis_executor: RedisExecutor, redis_prefix: str
) -> None:
    took_s: list[float] = []
    redis_executor.on_answer(took_s.append)

    asked = [asyncio.ensure_future(redis_executor.command("GET", f"{redis_prefix}{number}")) for number in range(3)]
    await asyncio.sleep(0)

    assert redis_executor.unanswered == 3
    assert await asyncio.gather(*asked) == [None, None, None]
    assert redis_executor.unanswered == 0
    assert 1 <= len(took_s) <= 3
    assert all(0 < each < 5 for each in took_s)

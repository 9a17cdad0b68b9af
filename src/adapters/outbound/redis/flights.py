"""Flights in Redis, beside the fills they are told under: in the slot of the scope."""

from collections.abc import Sequence

from adapters.outbound.redis.cache_keys import CacheKeys
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word
from application.ports.flights import Flights
from domain.flights import FOLLOWED_US, KEPT_US, NEWS_BYTES, NEWS_FRAMES, Heard, News
from domain.response_cache import Fill


class RedisFlights:
    """For the fills of RedisResponseCaches on the same server, with the same prefix."""

    def __init__(
        self, executor: RedisExecutor, prefix: str, now: Now = server_time, news_bytes: int = NEWS_BYTES
    ) -> None:
        self._executor = executor
        self._names = CacheKeys(prefix)
        self._now = now
        self._news_bytes = news_bytes

    async def tell(
        self, fill: Fill, first: int, frames: Sequence[bytes], ttl_us: int, *, last: bool = False
    ) -> Heard | None:
        token = fill.token.partition("/")[0]
        asked: tuple[Word, ...] = (fill.owner, token, ttl_us, first, int(last), KEPT_US, FOLLOWED_US, self._now())
        keys = self._keys(fill.scope, fill.key, fill.owner)
        heard = await self._executor.call("flights/tell", keys, (*asked, *frames))
        return Heard(heard[0], followed=heard[1] == 1) if heard else None

    async def follow(self, scope: str, key: str, owner: str, after: int) -> News:
        words = (owner, after, self._news_bytes, NEWS_FRAMES, self._now())
        held, ended, *frames = await self._executor.call("flights/follow", self._keys(scope, key, owner), words)
        return News(tuple(frames), ended=ended == 1, held=held == 1)

    def _keys(self, scope: str, key: str, owner: str) -> list[str]:
        return [*self._names.of(scope, key, "fill"), self._names.flight(scope, key, owner)]


_conforms: type[Flights] = RedisFlights

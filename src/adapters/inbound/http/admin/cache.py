"""The response cache: what it did, what it holds, and how to empty it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import Field

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Query, Schema
from application.use_cases.admin.cache import AdministerCache
from domain.principal import Permission

_SCOPE = "Such as `team:T`, `user:U` or `key:K`, with all that is part of it; absent: all of them."
Scope = Annotated[str, Field(min_length=1, max_length=300, description=_SCOPE)]


class ModelUses(Schema):
    """How requests for one model met the cache."""

    hits: int
    misses: int
    bypasses: int


class CacheStatsShown(Schema):
    """Counts since scopes were last forgotten, which is a month after their last use; and what is held now."""

    hits: int
    misses: int
    bypasses: int
    stores: int
    evictions: int
    entries: int
    bytes: int
    by_model: Mapping[str, ModelUses]


class CacheQuery(Query):
    """Of which scope."""

    scope: Scope | None = None


class CachePurge(Schema):
    """What is to be forgotten. Replies under way are not stored any more."""

    scope: Scope | None = None


class CachePurged(Schema):
    """How many replies there were."""

    purged: int


@dataclass(frozen=True, slots=True)
class _Handlers:
    cache: AdministerCache

    async def stats(self, asked: Asked[NoFields, CacheQuery]) -> CacheStatsShown:
        stats = await self.cache.stats(asked.query.scope)
        by_model = {name: ModelUses(**asdict(use)) for name, use in stats.by_model.items()}
        return CacheStatsShown(
            hits=stats.hits,
            misses=stats.misses,
            bypasses=stats.bypasses,
            stores=stats.stores,
            evictions=stats.evictions,
            entries=stats.entries,
            bytes=stats.bytes,
            by_model=by_model,
        )

    async def purge(self, asked: Asked[CachePurge, NoFields]) -> CachePurged:
        return CachePurged(purged=await self.cache.purge(asked.principal, asked.body.scope))


def cache_routes(cache: AdministerCache) -> tuple[AnyRoute, ...]:
    """`GET /cache/stats` and `POST /cache/purge`."""
    handlers = _Handlers(cache)
    return (
        Route(
            method=Method.GET,
            path="/cache/stats",
            permission=Permission.SEE_GATEWAY,
            summary="What the response cache did, and what it holds",
            handler=handlers.stats,
            query=CacheQuery,
            response=CacheStatsShown,
        ),
        Route(
            method=Method.POST,
            path="/cache/purge",
            permission=Permission.CHANGE_GATEWAY,
            summary="Forget stored replies, of one scope or all",
            handler=handlers.purge,
            request=CachePurge,
            response=CachePurged,
        ),
    )

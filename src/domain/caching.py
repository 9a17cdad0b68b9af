"""Which requests a stored reply may answer, whose replies they may be, and what makes two requests the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.callers import Caller
from domain.catalog import Catalog, Resolved
from domain.chat import Endpoint, LlmRequest
from domain.durations import SECOND_US
from domain.identifiers import ModelName

_VERSION = 1
_TRANSPORT = frozenset({"model", "stream", "stream_options"})
"""How the reply is wanted, not what it says. The model stands in the key under the name that was asked for."""
_STATEFUL = ("background", "conversation", "prompt")
"""What makes a response depend on something that the provider keeps and that may change."""


class CacheControl(StrEnum):
    """What a client wishes, in `x-moongate-cache`."""

    DEFAULT = "default"
    NO_CACHE = "no-cache"
    NO_STORE = "no-store"
    ONLY_IF_CACHED = "only-if-cached"


class CacheStatus(StrEnum):
    """How a request met the cache. BYPASS: it is none that a stored reply may answer."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"


class CacheScope(StrEnum):
    """Who shares replies. TEAM: callers of one account. GLOBAL: everybody, which lets tenants see that others asked."""

    TEAM = "team"
    USER = "user"
    KEY = "key"
    GLOBAL = "global"

    def name_of(self, caller: Caller) -> str:
        """Whose replies the caller shares."""
        match self:
            case CacheScope.TEAM:
                return caller.account
            case CacheScope.USER:
                return f"{caller.account}/{caller.name if caller.user_id is None else f'user:{caller.user_id}'}"
            case CacheScope.KEY:
                return f"{caller.account}/{caller.name}"
            case CacheScope.GLOBAL:
                return "global"


def is_part_of(scope: str, name: str) -> bool:
    """Whether `scope` is what an operator calls `name`: that itself, what it has below it, or that of some team."""
    return scope == name or scope.startswith(f"{name}/") or scope.endswith(f"/{name}")


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How replies are kept. `ttl_us` varies by a tenth either way, so that what came together does not go together."""

    enabled: bool = True
    ttl_us: int = 3_600 * SECOND_US
    scope: CacheScope = CacheScope.TEAM


def is_cacheable(llm: LlmRequest) -> bool:
    """Whether asking again would give the same: temperature 0, said so, and one choice each or a seed; embeddings."""
    if llm.endpoint is Endpoint.EMBEDDINGS:
        return True
    if llm.endpoint.is_forwarded:
        return False
    if llm.endpoint is Endpoint.RESPONSES and any(llm.fields.get(name) for name in _STATEFUL):
        return False
    temperature = llm.fields.get("temperature")
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or temperature != 0:
        return False
    return _choices_each(llm) <= 1 or llm.fields.get("seed") is not None


def _choices_each(llm: LlmRequest) -> int:
    """Of one prompt: that several come at once makes none of them less certain."""
    if llm.choices <= 1:
        return llm.choices
    asked = (llm.fields.get("n"), llm.fields.get("best_of"))
    return max((count for count in asked if isinstance(count, int)), default=1)


def canonical_request(
    llm: LlmRequest, scope: CacheScope, scope_name: str, target: object, tags: frozenset[str]
) -> Mapping[str, object]:
    """Equal for two requests that one reply may answer, and for no others.

    `target`: what serves the name that was asked for. `user` is left out, except where strangers share replies or the
    reply repeats it.
    """
    # A response repeats the user that it was asked for.
    user_counts = scope is CacheScope.GLOBAL or llm.endpoint is Endpoint.RESPONSES
    left_out = _TRANSPORT if user_counts else _TRANSPORT | {"user"}
    return {
        "version": _VERSION,
        "scope": scope_name,
        "endpoint": llm.endpoint.value,
        "model": llm.model,
        "target": target,
        "tags": sorted(tags),
        **({"betas": sorted(llm.betas)} if llm.betas else {}),
        "request": {name: value for name, value in llm.fields.items() if name not in left_out},
    }


def target_of(catalog: Catalog, resolved: Resolved) -> list[list[str]]:
    """What serves a name, as far as it makes the reply: another upstream model or address is another target."""
    return [
        [str(member.id), member.provider, member.upstream_model, member.made_by]
        for model in models_of(resolved)
        for member in catalog.instances[model]
    ]


def models_of(resolved: Resolved) -> tuple[ModelName, ...]:
    """The models that were asked for; a reply of any other is a fallback's, and no answer to the next request."""
    if resolved.route is not None:
        return tuple(member.model_name for member in resolved.route.models)
    return () if resolved.model is None else (resolved.model,)

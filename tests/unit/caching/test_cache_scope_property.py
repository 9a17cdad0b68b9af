"""Whoever two requests come from and whatever they ask: which of them may be answered by one stored reply."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from adapters.outbound.system.fingerprint import HmacFingerprint
from application.caching.cache_keys import CacheKeys, Place
from application.gateway_request import GatewayRequest
from domain.caching import CacheScope
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance
from domain.chat import Endpoint, LlmRequest
from domain.identifiers import InstanceId, ModelName, RequestId

NAMES = ("near", "far")
HOW_IT_IS_WANTED = {"model", "stream", "stream_options"}

numbers = st.sampled_from([0, 0.0, -0.0, 1, 1.0, 2, 0.5, 1e21, 10**15])
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text("aä1 \u2028", max_size=3))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "b", "1"]), inner, max_size=2)
    ),
    max_leaves=4,
)
fields = st.dictionaries(
    st.sampled_from(["messages", "temperature", "seed", "user", "stream", "stream_options", "tools", "x"]),
    values,
    max_size=4,
)
tags = st.frozensets(st.sampled_from(["eu", "gpu"]))
callers = st.builds(
    Caller,
    st.sampled_from(CallerKind),
    st.sampled_from(["one", "two"]),
    tags=tags,
    tenant=st.sampled_from([None, "team:one", "team:two", "user:one"]),
    user_id=st.sampled_from([None, "one", "two"]),
    routes=st.sampled_from([{}, {"near": "far"}, {"far": "near"}]),
)


@cache
def catalog_of(upstream: tuple[str, str]) -> Catalog:
    """The same one for both of a pair, as at a gateway: names that are still known from the first are found."""
    made = zip(NAMES, upstream, strict=True)
    return Catalog(
        {ModelName(name): (Instance(InstanceId(name), ModelName(name), "custom", model),) for name, model in made}
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the upstream models that stand behind the two names at the gateway where it arrives."""

    caller: Caller
    endpoint: Endpoint
    model: str
    tags: frozenset[str]
    fields: Mapping[str, Any]
    upstream: tuple[str, str]

    @property
    def catalog(self) -> Catalog:
        return catalog_of(self.upstream)

    @property
    def served_by(self) -> tuple[str, str]:
        name = self.caller.routes.get(self.model, self.model)
        return name, self.upstream[NAMES.index(name)]

    def group(self, scope: CacheScope) -> tuple[object, ...]:
        caller, account = self.caller, self.caller.tenant or (self.caller.kind, self.caller.id)
        match scope:
            case CacheScope.GLOBAL:
                return ()
            case CacheScope.TEAM:
                return (account,)
            case CacheScope.USER if caller.user_id is not None:
                return (account, caller.user_id)
            case _:
                return (account, caller.kind, caller.id)

    def body(self, scope: CacheScope) -> str:
        # A response repeats the user that it was asked for.
        user_counts = scope is CacheScope.GLOBAL or self.endpoint is Endpoint.RESPONSES
        left_out = HOW_IT_IS_WANTED | (set() if user_counts else {"user"})
        return spelt({name: value for name, value in self.fields.items() if name not in left_out})


asked = st.builds(
    Asked,
    callers,
    st.sampled_from(Endpoint),
    st.sampled_from(NAMES),
    tags,
    fields,
    st.tuples(st.sampled_from(["v1", "v2"]), st.sampled_from(["v1", "v2"])),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Asked, Asked]:
    """Two that differ in few things or in none: chance alone would hardly ever make them the same."""
    one, other = draw(asked), draw(asked)
    changes = {name: getattr(other, name) for name in draw(st.sets(st.sampled_from(Asked.__slots__), max_size=2))}
    if draw(st.booleans()):
        names = draw(st.sets(st.sampled_from(["kind", "id", "tags", "tenant", "user_id", "routes"]), max_size=2))
        changes["caller"] = replace(one.caller, **{name: getattr(other.caller, name) for name in names})
    if draw(st.booleans()):
        changes["fields"] = {
            **dict(reversed(list(one.fields.items()))),
            **draw(fields.filter(lambda more: len(more) <= 1)),
        }
    return one, replace(one, **changes)


def spelt(value: Any) -> str:
    """One spelling for each JSON value: numbers by their value, members in order."""

    def plain(inner: Any) -> Any:
        match inner:
            case bool() | None | str():
                return inner
            case int() | float():
                return float(inner) + 0.0  # no negative zero
            case list():
                return [plain(each) for each in inner]
            case _:
                return {name: plain(each) for name, each in inner.items()}

    return json.dumps(plain(value), sort_keys=True)


def place_of(keys: CacheKeys, one: Asked, scope: CacheScope) -> Place:
    llm = LlmRequest(one.endpoint, one.model, json.dumps(one.fields).encode(), one.fields)
    request = GatewayRequest(RequestId("r"), one.caller, llm, tags=one.tags)
    resolved = one.catalog.resolve(one.caller.routes.get(one.model, one.model))
    assert resolved is not None
    place = asyncio.run(keys.place_of(request, scope, one.catalog, resolved))
    assert place is not None
    return place


async def pepper() -> bytes:
    return b"a secret of the fleet"


@given(pair=pairs(), scope=st.sampled_from(CacheScope))
@settings(max_examples=400)
def test_two_requests_share_an_entry_where_nothing_tells_them_apart_and_nowhere_else(
    pair: tuple[Asked, Asked], scope: CacheScope
) -> None:
    one, other = pair
    same = [
        one.group(scope) == other.group(scope),
        one.endpoint is other.endpoint,
        one.model == other.model,
        one.served_by == other.served_by,
        one.caller.tags | one.tags == other.caller.tags | other.tags,
        one.body(scope) == other.body(scope),
    ]
    event(f"{same.count(False)} differences")

    keys = CacheKeys(HmacFingerprint(), pepper)

    assert (place_of(keys, one, scope) == place_of(keys, other, scope)) is all(same)


@given(pair=pairs(), scope=st.sampled_from([CacheScope.TEAM, CacheScope.USER, CacheScope.KEY]))
@settings(max_examples=200)
def test_callers_of_two_tenants_never_share_an_entry(pair: tuple[Asked, Asked], scope: CacheScope) -> None:
    one, other = pair
    ours = replace(one, caller=replace(one.caller, tenant="team:ours"))
    theirs = replace(other, caller=replace(other.caller, tenant="team:theirs"))
    keys = CacheKeys(HmacFingerprint(), pepper)

    place, theirs_place = place_of(keys, ours, scope), place_of(keys, theirs, scope)

    # Each tells them apart by itself: neither a store that forgets scopes nor a key that leaves them out mixes tenants.
    assert place.scope != theirs_place.scope
    assert place.key != theirs_place.key

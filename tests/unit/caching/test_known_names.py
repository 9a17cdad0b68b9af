"""Names of requests that were asked before are not worked out again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.outbound.system.fingerprint import HmacFingerprint
from application.caching import cache_keys
from application.caching.cache_keys import CacheKeys, Place
from application.gateway_request import GatewayRequest
from domain.caching import CacheScope
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance
from domain.chat import Endpoint, LlmRequest
from domain.identifiers import InstanceId, ModelName, RequestId

CALLER = Caller(CallerKind.KEY, "one", tenant="team:one")


@dataclass
class CountedFingerprint(HmacFingerprint):
    named: list[Mapping[str, object]] = field(default_factory=list)

    def name_of(self, secret: bytes, document: Mapping[str, object]) -> str | None:
        if "version" in document:
            self.named.append(document)
        return super().name_of(secret, document)


async def pepper() -> bytes:
    return b"a secret of the fleet"


def catalog(upstream: str = "v1") -> Catalog:
    name = ModelName("near")
    return Catalog({name: (Instance(InstanceId("near-1"), name, "custom", upstream),)})


async def ask(keys: CacheKeys, known: Catalog, fields: Mapping[str, Any], spaces: int | None = None) -> Place | None:
    body = json.dumps(fields, indent=spaces).encode()
    request = GatewayRequest(RequestId("r"), CALLER, LlmRequest(Endpoint.CHAT, "near", body, fields))
    resolved = known.resolve("near")
    assert resolved is not None
    return await keys.place_of(request, CacheScope.TEAM, known, resolved)


async def test_the_same_bytes_are_named_once_and_another_spelling_meets_them() -> None:
    fingerprint, known = CountedFingerprint(), catalog()
    keys = CacheKeys(fingerprint, pepper)

    first = await ask(keys, known, {"temperature": 0})
    assert await ask(keys, known, {"temperature": 0}) == first
    assert len(fingerprint.named) == 1
    assert await ask(keys, known, {"temperature": 0}, spaces=2) == first
    assert len(fingerprint.named) == 2


async def test_another_catalog_names_everything_anew() -> None:
    keys, before, after = CacheKeys(HmacFingerprint(), pepper), catalog("v1"), catalog("v2")

    first = await ask(keys, before, {"temperature": 0})
    assert await ask(keys, after, {"temperature": 0}) != first
    assert await ask(keys, before, {"temperature": 0}) == first


async def test_the_oldest_names_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_keys, "_MOST_KNOWN", 2)
    fingerprint, known = CountedFingerprint(), catalog()
    keys = CacheKeys(fingerprint, pepper)

    for seed in (1, 2, 3, 3, 2, 1):
        await ask(keys, known, {"temperature": 0, "seed": seed})

    assert [document["request"] for document in fingerprint.named] == [
        {"temperature": 0, "seed": seed} for seed in (1, 2, 3, 1)
    ]

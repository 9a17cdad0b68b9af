"""No answer ever holds a digest, or a key but the one that it has just made."""

import asyncio
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.keys import KEY_CHARACTERS, KEY_PREFIX
from domain.virtual_key import VirtualKey
from tests.integration.http.admin_callers import CALLERS
from tests.integration.http.admin_world import Client, World

WHOLE_KEY = re.compile(rf"{KEY_PREFIX}[0-9A-Za-z]{{{KEY_CHARACTERS - len(KEY_PREFIX)}}}")
IDS = ["k-own", "k-own-one", "k-own-admin", "k-foreign", "k-personal", "k-nobody"]

LOOKS = [
    *(f"/keys/{key_id}" for key_id in IDS),
    *(f"/audit?target=key:{key_id}" for key_id in IDS),
    *(f"/budgets/key:{key_id}" for key_id in IDS),
    *("/keys", "/users", "/teams", "/budgets", "/audit", "/teams/t-own/members", "/users/u-one", "/teams/t-own"),
]
Ask = tuple[str, str, Any]
ASKS: st.SearchStrategy[Ask] = st.one_of(
    st.sampled_from(LOOKS).map(lambda path: ("GET", path, None)),
    st.sampled_from([("POST", "/keys", {"name": "a"}), ("POST", "/keys", {"name": "a", "team_id": "t-own"})]),
    st.sampled_from(IDS).map(lambda key_id: ("POST", f"/keys/{key_id}/rotate", None)),
    st.sampled_from(IDS).map(lambda key_id: ("DELETE", f"/keys/{key_id}", None)),
    st.tuples(st.just("PATCH"), st.sampled_from(IDS).map(lambda key_id: f"/keys/{key_id}"), st.just({"name": "b"})),
    st.sampled_from(IDS).map(lambda key_id: ("PATCH", f"/keys/{key_id}", {"digest": "00", "key": "mg_"})),
)


async def told(ask: Client, asked: Ask, world: World) -> None:
    answer = await ask(*asked)
    secrets = WHOLE_KEY.findall(answer.text)
    makes = answer.status in {200, 201} and asked[0] == "POST"
    assert secrets == ([answer.json["key"]] if makes else [])
    for key in world.tenants.of(VirtualKey).values():
        assert key.digest.hex() not in answer.text
        assert repr(key.digest) not in answer.text
    assert '"digest":' not in answer.text


@settings(max_examples=25, deadline=None)
@given(asks=st.lists(st.tuples(st.sampled_from(sorted(CALLERS)), ASKS), max_size=20))
def test_no_history_of_requests_brings_a_digest_or_an_older_key_to_light(asks: list[tuple[str, Ask]]) -> None:
    async def history() -> None:
        world = await World().settle_in()
        ask = world.client()
        for credential, asked in asks:
            await told(ask.as_(credential), asked, world)
        for path in LOOKS:
            await told(ask, ("GET", path, None), world)

    asyncio.run(history())

from dataclasses import replace
from typing import Any

import pytest

from domain.callers import Caller, CallerKind
from domain.chat import Endpoint
from domain.keys import digest, mint, shown_prefix
from domain.limits.key_limits import KeyLimits, limits_of
from domain.limits.limit import LARGEST_LIMIT, Algorithm, Limit, LimitKind
from domain.limits.rate_policy import RatePolicy
from domain.tenants import TeamId, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey
from tests.unit.tenants.test_tenants import HOSTILE_IDS, HOSTILE_NAMES

SECRET = mint(2**255 + 4).text
DIGEST = digest(bytes(16), SECRET)
KEY = VirtualKey(id=KeyId("K"), name="ci", prefix=shown_prefix(SECRET), digest=DIGEST, created_at_us=1_000)
USER, TEAM = UserId("U"), TeamId("T")


def with_(name: str, value: Any) -> VirtualKey:
    return replace(KEY, **{name: value})


@pytest.mark.parametrize(
    ("user_id", "team_id", "tenant", "account"),
    [
        (None, None, None, "key:K"),
        (USER, None, "user:U", "user:U"),
        (None, TEAM, "team:T", "team:T"),
        (USER, TEAM, "team:T", "team:T"),
    ],
)
def test_a_key_spends_from_its_team_else_its_user_else_itself(
    user_id: UserId | None, team_id: TeamId | None, tenant: str | None, account: str
) -> None:
    key = replace(KEY, user_id=user_id, team_id=team_id)

    assert (key.tenant, key.account) == (tenant, account)


def test_callers_without_a_key_count_for_themselves() -> None:
    assert Caller(CallerKind.ANONYMOUS, "192.0.2.1").account == "anonymous:192.0.2.1"
    assert Caller(CallerKind.MASTER, "master").account == "master:master"


@pytest.mark.parametrize(
    ("key", "now_us", "valid"),
    [
        (KEY, 0, True),
        (KEY, 2**60, True),
        (replace(KEY, expires_at_us=5_000), 4_999, True),
        (replace(KEY, expires_at_us=5_000), 5_000, False),
        (replace(KEY, expires_at_us=5_000), 5_001, False),
        (replace(KEY, blocked=True), 2_000, False),
        (replace(KEY, revoked_at_us=3_000), 2_999, False),
        (replace(KEY, revoked_at_us=3_000), 3_000, False),
        (replace(KEY, revoked_at_us=0), 3_000, False),
        (replace(KEY, revoked_at_us=3_000, expires_at_us=5_000), 4_000, False),
    ],
)
def test_a_key_is_valid_until_it_expires_unless_blocked_or_revoked(key: VirtualKey, now_us: int, valid: bool) -> None:
    assert key.is_valid(now_us) is valid


@pytest.mark.parametrize("instant_us", [-1, True, 1.5])
def test_an_instant_that_is_none_does_not_construct(instant_us: int) -> None:
    for name in ("created_at_us", "expires_at_us", "revoked_at_us"):
        with pytest.raises(ValueError, match="expected microseconds"):
            with_(name, instant_us)


def test_a_key_that_was_never_valid_does_not_construct() -> None:
    with pytest.raises(ValueError, match="expires before it is created: K"):
        replace(KEY, expires_at_us=1_000)
    assert replace(KEY, expires_at_us=1_001).is_valid(1_000)


@pytest.mark.parametrize("text", HOSTILE_IDS)
def test_a_key_with_an_id_that_could_be_taken_for_more_does_not_construct(text: str) -> None:
    for name, what in (("id", "key id"), ("user_id", "user id"), ("team_id", "team id")):
        with pytest.raises(ValueError, match=f"expected a {what}"):
            with_(name, text)


@pytest.mark.parametrize("text", HOSTILE_NAMES)
def test_a_key_without_proper_names_does_not_construct(text: str) -> None:
    with pytest.raises(ValueError, match="expected a key name"):
        replace(KEY, name=text)
    with pytest.raises(ValueError, match="expected a tag"):
        replace(KEY, tags=frozenset({text}))
    with pytest.raises(ValueError, match="expected a model"):
        replace(KEY, models=frozenset({text}))


@pytest.mark.parametrize("prefix", ["", "1234567", "123456789", "mg_12345", "1234567\n", "1234567é", "1234567²"])
def test_a_key_with_another_prefix_does_not_construct(prefix: str) -> None:
    with pytest.raises(ValueError, match="as its prefix"):
        replace(KEY, prefix=prefix)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_without_a_digest_does_not_construct(length: int) -> None:
    with pytest.raises(ValueError, match=f"found {length}"):
        replace(KEY, digest=bytes(length))


def test_a_key_of_scope_admin_needs_a_user() -> None:
    with pytest.raises(ValueError, match="a key of scope admin needs a user: K"):
        replace(KEY, scope=KeyScope.ADMIN, team_id=TEAM)
    assert replace(KEY, scope=KeyScope.ADMIN, user_id=USER).scope is KeyScope.ADMIN
    assert KEY.scope is KeyScope.LLM


def test_the_representation_of_a_key_shows_neither_secret_nor_digest() -> None:
    assert SECRET[3:] not in repr(KEY)
    assert "digest" not in repr(KEY)
    assert repr(DIGEST) not in repr(KEY)


@pytest.mark.parametrize("algorithm", [Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW])
def test_limits_of_a_key_are_counted_as_chosen_and_slots_by_leases(algorithm: Algorithm) -> None:
    assert replace(KEY, limits=KeyLimits(60, 9_000, 4)).own_limits(algorithm) == (
        Limit("key:K:rpm", LimitKind.REQUESTS, 60, algorithm),
        Limit("key:K:tpm", LimitKind.TOKENS, 9_000, algorithm),
        Limit("key:K:parallel", LimitKind.PARALLEL, 4, Algorithm.LEASES),
    )


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        (KeyLimits(), []),
        (KeyLimits(requests_per_minute=1), ["team:T:rpm"]),
        (KeyLimits(tokens_per_minute=LARGEST_LIMIT), ["team:T:tpm"]),
        (KeyLimits(max_parallel=1), ["team:T:parallel"]),
    ],
)
def test_a_limit_that_is_not_set_is_none(limits: KeyLimits, names: list[str]) -> None:
    assert [limit.name for limit in limits_of("team:T", limits, Algorithm.SLIDING_WINDOW)] == names


@pytest.mark.parametrize("value", [0, -1, LARGEST_LIMIT + 1, True, 1.0])
def test_a_limit_that_cannot_be_counted_does_not_construct(value: int) -> None:
    for name in ("requests_per_minute", "tokens_per_minute", "max_parallel"):
        wrong: dict[str, Any] = {name: value}
        with pytest.raises(ValueError, match=f"expected {name} from 1 to {LARGEST_LIMIT}"):
            KeyLimits(**wrong)


def test_keys_of_one_team_share_the_account_and_not_the_limits_of_each_caller() -> None:
    policy = RatePolicy(everywhere=10)
    one, two = (Caller(CallerKind.KEY, name, tenant="team:T") for name in ("one", "two"))

    assert one.account == two.account
    assert [limit.name for limit in policy.limits_of(one, Endpoint.CHAT)] == ["key:one:rpm:any"]
    assert [limit.name for limit in policy.limits_of(two, Endpoint.CHAT)] == ["key:two:rpm:any"]

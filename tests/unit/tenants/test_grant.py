from dataclasses import replace

import pytest

from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.callers import Caller, CallerKind
from domain.grant import Grant
from domain.limits.key_limits import KeyLimits
from domain.limits.limit import Algorithm, Limit, LimitKind
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey

USER = User(UserId("U"), "u@example.org", Role.VIEWER, limits=KeyLimits(max_parallel=2))
TEAM = Team(TeamId("T"), "search", limits=KeyLimits(tokens_per_minute=1_000))
KEY = VirtualKey(
    id=KeyId("K"), name="ci", prefix="abcdefgh", digest=b"d" * 32, created_at_us=0, limits=KeyLimits(5, None, None)
)
IN_TEAM = replace(KEY, user_id=USER.id, team_id=TEAM.id)
WHOLE = Grant(IN_TEAM, USER, TEAM, Membership(USER.id, TEAM.id))


def caller_of(grant: Grant) -> Caller:
    return grant.caller(Algorithm.FIXED_WINDOW)


@pytest.mark.parametrize(
    ("grant", "valid"),
    [
        (Grant(KEY), True),
        (WHOLE, True),
        (replace(WHOLE, key=replace(IN_TEAM, blocked=True)), False),
        (replace(WHOLE, user=replace(USER, blocked=True)), False),
        (replace(WHOLE, team=replace(TEAM, blocked=True)), False),
        (replace(WHOLE, membership=None), False),
        (replace(WHOLE, user=None), False),
        (replace(WHOLE, team=None), False),
        (Grant(replace(KEY, team_id=TEAM.id), team=TEAM), True),
        (Grant(replace(KEY, user_id=USER.id), USER), True),
    ],
)
def test_a_key_opens_as_long_as_it_its_user_and_its_team_are_there(grant: Grant, valid: bool) -> None:
    assert valid == grant.is_valid(0)


def test_a_caller_has_the_limits_of_its_key_its_user_and_its_team() -> None:
    expected = (
        Limit("key:K:rpm", LimitKind.REQUESTS, 5, Algorithm.FIXED_WINDOW),
        Limit("user:U:parallel", LimitKind.PARALLEL, 2, Algorithm.LEASES),
        Limit("team:T:tpm", LimitKind.TOKENS, 1_000, Algorithm.FIXED_WINDOW),
    )

    assert expected == caller_of(WHOLE).limits


@pytest.mark.parametrize(
    ("of_key", "of_team", "may_use"),
    [
        (None, None, {"small", "large"}),
        ({"small"}, None, {"small"}),
        (None, {"large"}, {"large"}),
        ({"small"}, {"large"}, set[str]()),
        ({"small", "large"}, {"large"}, {"large"}),
    ],
)
def test_a_caller_may_use_what_both_its_key_and_its_team_may(
    of_key: set[str] | None, of_team: set[str] | None, may_use: set[str]
) -> None:
    key = replace(IN_TEAM, models=None if of_key is None else frozenset(of_key))
    team = replace(TEAM, models=None if of_team is None else frozenset(of_team))
    caller = caller_of(replace(WHOLE, key=key, team=team))

    assert may_use == {name for name in ("small", "large") if caller.may_use(name)}


def test_instances_must_carry_the_tags_of_the_key_and_of_the_team() -> None:
    grant = replace(WHOLE, key=replace(IN_TEAM, tags=frozenset({"eu"})), team=replace(TEAM, tags=frozenset({"gpu"})))

    assert frozenset({"eu", "gpu"}) == caller_of(grant).tags


def test_a_route_of_the_key_is_stronger_than_one_of_its_team() -> None:
    team = replace(TEAM, routes={"gpt": "cheap", "claude": "claude-eu"})
    grant = replace(WHOLE, key=replace(IN_TEAM, routes={"gpt": "fast"}), team=team)

    assert dict(caller_of(grant).routes) == {"gpt": "fast", "claude": "claude-eu"}


def test_a_route_of_the_key_does_not_lead_past_its_team() -> None:
    team = replace(TEAM, models=frozenset({"small"}), routes={"gpt": "cheap"})
    key = replace(IN_TEAM, routes={"a": "small", "b": "cheap", "c": "large", "gpt": "large"})

    assert dict(caller_of(replace(WHOLE, key=key, team=team)).routes) == {"gpt": "cheap", "a": "small", "b": "cheap"}


def test_a_caller_knows_who_it_is_and_what_it_counts_against() -> None:
    budgets = (BudgetTerms(BudgetOwner(OwnerKind.TEAM, "T"), 5),)
    caller = caller_of(replace(WHOLE, budgets=budgets))

    assert (caller.kind, caller.id, caller.user_id, caller.team_id) == (CallerKind.KEY, "K", "U", "T")
    assert ("team:T", budgets) == (caller.account, caller.budgets)


@pytest.mark.parametrize(("scope", "role"), [(KeyScope.LLM, None), (KeyScope.ADMIN, Role.VIEWER)])
def test_a_key_may_administer_what_its_user_may_where_its_scope_is_admin(scope: KeyScope, role: Role | None) -> None:
    assert role == caller_of(replace(WHOLE, key=replace(IN_TEAM, scope=scope))).role

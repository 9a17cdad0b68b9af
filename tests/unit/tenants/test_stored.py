from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.tenants_support import KEY, MEMBERSHIP, OTHER_USER, PRICE, TEAM, USER, budget
from domain.audit import Change
from domain.budget.terms import OwnerKind
from domain.cursor import cursor_of, place_of
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.stored import Stored, changed, id_of, needs_of
from domain.tenants import Team, User
from domain.virtual_key import VirtualKey

REVOKED = replace(KEY, revoked_at_us=0)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (USER, "U"),
        (MEMBERSHIP, "T:U"),
        (KEY, "K"),
        (PRICE, f"openai/{PRICE.model}@7"),
        (budget(OwnerKind.MEMBER, "T:U"), "member:T:U"),
    ],
)
def test_an_item_has_an_id(item: Stored, expected: str) -> None:
    assert id_of(item) == expected


def test_no_two_prices_have_an_id_in_common() -> None:
    tricky = [("a", "b/c", 1), ("a", "b/c@1", 1), ("a", "b/c@1", 11), ("a", "b/c@11", 1), ("a@1", "b", 1)]

    assert len({id_of(PriceOverride(*names, Prices())) for names in tricky}) == len(tricky)


@pytest.mark.parametrize(
    ("provider", "model", "at_us"),
    [
        ("", "m", 0),
        ("p", "", 0),
        ("p/q", "m", 0),
        ("p", "m\0", 0),
        ("p", "m" * 201, 0),
        ("p", "m", -1),
        ("p", "m", 2**63),
    ],
)
def test_a_price_without_proper_names_and_instant_does_not_construct(provider: str, model: str, at_us: int) -> None:
    with pytest.raises(ValueError, match=r"^expected"):
        PriceOverride(provider, model, at_us, Prices())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change("x", "x", None, USER), set[object]()),
        (Change("x", "x", None, MEMBERSHIP), {(Team, "T"), (User, "U")}),
        (Change("x", "x", MEMBERSHIP, None), set[object]()),
        (Change("x", "x", None, REVOKED), {(Team, "T"), (User, "U")}),
        (Change("x", "x", KEY, REVOKED), set[object]()),
        (Change("x", "x", REVOKED, KEY), {(Team, "T"), (User, "U")}),
        (Change("x", "x", None, replace(KEY, team_id=None)), {(User, "U")}),
        (Change("x", "x", None, budget(OwnerKind.KEY, "K")), {(VirtualKey, "K")}),
        (Change("x", "x", None, budget(OwnerKind.MEMBER, "T:U")), {(Team, "T"), (User, "U")}),
    ],
)
def test_a_change_needs_those_that_it_names(change: Change[Any], expected: set[object]) -> None:
    assert set(needs_of(change)) == expected


def test_a_change_is_of_one_item() -> None:
    assert changed(Change("x", "x", USER, replace(USER, blocked=True))) == (User, "U")
    with pytest.raises(ValueError, match=r"^expected a change of one item, found the user 'U' and the user 'u'$"):
        changed(Change("x", "x", USER, OTHER_USER))


@pytest.mark.parametrize(
    ("action", "target"), [("", "t"), ("a\n", "t"), ("a" * 201, "t"), ("a", "t\0"), ("a", "\ud800"), ("a", "t" * 501)]
)
def test_a_change_that_no_log_can_hold_does_not_construct(action: str, target: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a"):
        Change(action, target, None, TEAM)


@pytest.mark.parametrize("place", ["a", "a-b", "🗝", "\0", " ", "0"])
def test_a_cursor_leads_back_to_its_place_and_to_that_of_no_other_list(place: str) -> None:
    cursor = cursor_of("user", place)

    assert place_of("user", cursor) == place
    assert cursor.replace("-", "").isalnum()
    for other in ("team", "user-", "use"):
        with pytest.raises(ValueError, match="expected a cursor"):
            place_of(other, cursor)

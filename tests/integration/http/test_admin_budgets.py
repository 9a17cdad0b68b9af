"""Budgets, as administrators set and watch them."""

from dataclasses import dataclass
from typing import Any

import pytest

from application.errors import StateUnavailable
from domain.budget.answers import Balance, Inspection
from domain.budget.charge import AccountId, AttemptId, BudgetPeriod, Charge, Reservation
from domain.budget.terms import BudgetTerms
from domain.identifiers import RequestId
from tests.integration.http.admin_world import NOW_US, World, world_client

OWNERS = {
    "team:t-own": ("team", "t-own", "team:t-own"),
    "user:u-one": ("user", "u-one", "user:u-one"),
    "key:k-own": ("key", "k-own", "team:t-own"),
    "key:k-own-one": ("key", "k-own-one", "team:t-own"),
    "key:k-personal": ("key", "k-personal", "user:u-one"),
    "key:k-nobody": ("key", "k-nobody", "key:k-nobody"),
    "member:t-own:u-one": ("member", "t-own:u-one", "team:t-own"),
}


@dataclass
class StubBudgets:
    """Knows one balance for every budget, or is away."""

    balance: Balance | None

    async def inspect(self, _account: AccountId, asked: tuple[BudgetPeriod, ...]) -> Inspection:
        if self.balance is None:
            raise StateUnavailable("the store is away")
        return Inspection((self.balance,) * len(asked), ())


async def spend(world: World, account: str, budget_id: str) -> None:
    """Two attempts: one that has cost 1.5 dollars, one that holds 2."""
    terms = world.tenants.of(BudgetTerms)[budget_id]
    of = terms.period(NOW_US)
    await world.budgets.reseed(AccountId(account), of, 0, 1)
    for attempt in (1, 2):
        asked = Reservation(
            AttemptId(RequestId("r"), attempt), (Charge(of, terms.amount_nano),), 2_000_000_000, 1, 60_000_000
        )
        await world.budgets.reserve(AccountId(account), asked)
    await world.budgets.settle(AccountId(account), AttemptId(RequestId("r"), 1), 1_500_000_000)


@pytest.mark.parametrize("budget_id", OWNERS)
async def test_budget_is_set_seen_with_what_was_spent_and_reserved_and_removed(budget_id: str) -> None:
    world = await World().settle_in()
    ask = world.client()
    kind, owner_id, account = OWNERS[budget_id]
    wish = {"amount_usd": "12.000000001", "period": "weekly", "timezone": "America/New_York", "hard": True}

    put = await ask("PUT", f"/budgets/{budget_id}", wish)
    await spend(world, account, budget_id)

    assert put.status == 200
    assert (await ask("GET", f"/budgets/{budget_id}")).json == {
        **wish,
        "id": budget_id,
        "owner_kind": kind,
        "owner_id": owner_id,
        "spent_usd": "1.5",
        "reserved_usd": "2",
        "resets_at": "2026-11-30T05:00:00.000Z",
    }
    assert (await ask("DELETE", f"/budgets/{budget_id}")).status == 204
    assert (await ask("GET", f"/budgets/{budget_id}")).error == (404, "not_found", None)
    assert (await ask("DELETE", f"/budgets/{budget_id}")).error == (404, "not_found", None)


@pytest.mark.parametrize(("path", "budget_id"), [("/keys/k-own", "key:k-own"), ("/teams/t-own", "team:t-own")])
async def test_owner_shows_what_its_budget_has_come_to(path: str, budget_id: str) -> None:
    world = await World().settle_in()
    await spend(world, "team:t-own", budget_id)

    shown = (await world.client("team-admin")("GET", path)).json["budget"]

    assert (shown["amount_usd"], shown["spent_usd"], shown["reserved_usd"]) == ("50", "1.5", "2")


async def test_put_sets_the_whole_budget() -> None:
    ask = await world_client()
    await ask(
        "PUT", "/budgets/team:t-own", {"amount_usd": "1", "period": "daily", "timezone": "Asia/Tokyo", "hard": False}
    )

    shown = (await ask("PUT", "/budgets/team:t-own", {"amount_usd": "2"})).json

    assert (shown["amount_usd"], shown["period"], shown["timezone"], shown["hard"]) == ("2", "monthly", "UTC", True)


@pytest.mark.parametrize(
    ("balance", "ledger", "spent", "reserved"),
    [
        (Balance(5, 7, 1), 999, "0.000000005", "0.000000007"),
        (Balance(5, 7, 0), 3, "0.000000005", "0.000000007"),
        (Balance(5, 7, 0), 9, "0.000000009", "0.000000007"),
        (None, 9, "0.000000009", None),
    ],
)
async def test_ledger_says_what_was_spent_where_the_store_does_not_know(
    balance: Balance | None, ledger: int, spent: str, reserved: str | None
) -> None:
    world = await World().settle_in()
    world.budgets, world.ledger.nano = StubBudgets(balance), {"team:t-own": ledger}  # type: ignore[assignment]

    for path in ("/teams/t-own", "/budgets/team:t-own"):
        answer = (await world.client()("GET", path)).json
        shown = answer.get("budget", answer)
        assert (shown["spent_usd"], shown["reserved_usd"]) == (spent, reserved)


async def test_ledger_is_not_asked_where_the_store_knows() -> None:
    world = await World().settle_in()
    world.ledger.away = True
    stub = StubBudgets(Balance(5, 7, 1))
    world.budgets = stub  # type: ignore[assignment]

    assert (await world.client()("GET", "/teams/t-own")).status == 200
    stub.balance = None
    assert (await world.client()("GET", "/teams/t-own")).error == (503, "state_unavailable", None)


@pytest.mark.parametrize(
    "budget_id",
    ["team:none", "user:none", "key:none", "member:t-own:none", "member:t-own", "t-own", "team:", ":", "org:t-own"],
)
async def test_budget_of_nobody_is_404(budget_id: str) -> None:
    ask = await world_client()

    for method, body in (("GET", None), ("PUT", {"amount_usd": "1"}), ("DELETE", None)):
        assert (await ask(method, f"/budgets/{budget_id}", body)).error == (404, "not_found", None)


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({}, "amount_usd"),
        ({"amount_usd": None}, "amount_usd"),
        ({"amount_usd": "9000001"}, "amount_usd"),
        ({"amount_usd": "1", "timezone": "Mars/Olympus"}, "timezone"),
        ({"amount_usd": "1", "period": None}, "period"),
        ({"amount_usd": "1", "spent_usd": "0"}, "spent_usd"),
    ],
)
async def test_budget_that_can_not_be_is_refused_by_the_name_of_the_field(wish: dict[str, Any], param: str) -> None:
    for budget_id in ("team:t-own", "key:k-nobody"):
        refused = await (await world_client())("PUT", f"/budgets/{budget_id}", wish)
        assert refused.error == (400, "invalid_request", param)


async def test_budgets_are_listed_in_pieces_with_how_they_stand() -> None:
    world = await World().settle_in()
    await spend(world, "user:u-one", "key:k-personal")
    ask = world.client("viewer")

    first = (await ask("GET", "/budgets?limit=4")).json
    rest = (await ask("GET", f"/budgets?limit=6&after={first['next']}")).json

    listed = [*first["data"], *rest["data"]]
    assert [len(first["data"]), len(rest["data"]), rest["next"]] == [4, 6, None]
    assert sorted(budget["id"] for budget in listed) == [budget["id"] for budget in listed]
    spent = {budget["id"]: budget["spent_usd"] for budget in listed if budget["spent_usd"] != "0"}
    assert spent == {"key:k-personal": "1.5"}

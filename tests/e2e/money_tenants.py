"""Teams, users, members and keys with budgets, made and looked up through the admin API with the master key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway

HARD, SOFT = True, False


@dataclass(frozen=True, slots=True)
class Key:
    """A virtual key of a member of a team."""

    id: str
    secret: str
    team_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget as the admin API shows it, in nano-dollars."""

    id: str
    hard: bool
    amount_nano: int
    spent_nano: int
    reserved_nano: int | None


def nano(dollars: str) -> int:
    """Exactly; money on the wire is a decimal string."""
    whole, _, part = dollars.partition(".")
    assert len(part) <= 9
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def budget(amount_usd: str, *, hard: bool = HARD, period: str = "total") -> dict[str, object]:
    """A budget's fields. No total is over while a test runs."""
    return {"amount_usd": amount_usd, "period": period, "hard": hard}


async def admin(gateway: Gateway, path: str, body: Mapping[str, object] | None = None) -> Any:
    """What `/admin/v1` answers: a POST where there is a body, else a GET."""
    path = f"/admin/v1{path}"
    request = gateway.get(path) if body is None else gateway.post(path, json.dumps(body).encode())
    reply = await raw_http.exchange(gateway.port, request, within_s=60)
    assert reply.status in {200, 201}, reply.body
    return reply.json()


async def make_team(gateway: Gateway, name: str, its_budget: Mapping[str, object] | None) -> str:
    """The id of a new team."""
    made = await admin(gateway, "/teams", {"name": name, "budget": its_budget})
    return str(made["id"])


async def make_member(gateway: Gateway, team_id: str, name: str, its_budget: Mapping[str, object] | None) -> str:
    """The id of a new user, who is in the team."""
    user = await admin(gateway, "/users", {"email": f"{name}@example.org", "role": "viewer"})
    await admin(gateway, f"/teams/{team_id}/members", {"user_id": user["id"], "budget": its_budget})
    return str(user["id"])


async def make_key(
    gateway: Gateway, name: str, team_id: str, user_id: str, its_budget: Mapping[str, object] | None
) -> Key:
    """A new key of that member."""
    fields = {"name": name, "team_id": team_id, "user_id": user_id, "budget": its_budget}
    made = await admin(gateway, "/keys", fields)
    return Key(made["id"], made["key"], team_id, user_id)


async def standings(gateway: Gateway) -> dict[str, Standing]:
    """All budgets, by id."""
    found = await admin(gateway, "/budgets?limit=100")
    assert found["next"] is None
    return {shown["id"]: _standing(shown["id"], shown) for shown in found["data"]}


async def key_standing(gateway: Gateway, key: Key) -> Standing | None:
    """What `/keys/{id}` says of its own budget."""
    shown = (await admin(gateway, f"/keys/{key.id}"))["budget"]
    return None if shown is None else _standing(f"key:{key.id}", shown)


def _standing(budget_id: str, shown: Mapping[str, Any]) -> Standing:
    reserved = shown["reserved_usd"]
    return Standing(
        budget_id,
        shown["hard"],
        nano(shown["amount_usd"]),
        nano(shown["spent_usd"]),
        None if reserved is None else nano(reserved),
    )

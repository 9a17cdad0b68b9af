"""The models and the tenants of the random load, and what must hold of their money when all of it is over."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from tests.e2e.behaviour import Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.money_books import Books, Row, read_books
from tests.e2e.money_fleet import MoneyFleet
from tests.e2e.money_load import Heard, MoneyLoad
from tests.e2e.money_tenants import SOFT, Key, budget, make_key, make_member, make_team, nano, standings
from tests.e2e.openai_wire import INPUT_TOKENS
from tests.e2e.scripted_upstream import Recorded, ScriptedUpstream
from tests.e2e.support import eventually

CACHED_TOKENS, MOST_TOKENS = 3, 64
# Thousandths of a nano-dollar for a token. What they come to is no whole number: it is rounded up.
INPUT_MILLI, CACHED_MILLI, OUTPUT_MILLI = 1_250_000, 125_500, 3_333_700
PRICES: Mapping[str, Any] = {
    "input_cost_per_token": "0.00000125",
    "cached_input_cost_per_token": "0.0000001255",
    "output_cost_per_token": "0.0000033337",
    "max_output_tokens": MOST_TOKENS,
}
BEHAVIOURS: Mapping[str, Behaviour] = {
    "steady": Behaviour(delay_s=0.01, chunk_delay_s=0.01),
    "mute": Behaviour(usage=False, chunk_delay_s=0.002),
    "failing": failing(500),
    "reset": ending(Ending.RST),
    "hanging": ending(Ending.HANG),
    "cut": ending(Ending.RST, 2),
    "shut": ending(Ending.FIN, 1),
}
FAILS_OVER = ("failing", "reset", "hanging")
MODELS = ("steady", "steady", "steady", "mute", "mute", *FAILS_OVER, "cut", "shut")


def money_models(base_url: str) -> list[dict[str, object]]:
    """One instance of each behaviour; of three models, a second one that serves what the first did not."""
    models = []
    for lane in BEHAVIOURS:
        timeout = "300ms" if lane == "hanging" else "20s"
        models.append(instance(lane, base_url, priority=200, timeout=timeout, **PRICES))
    models += [instance(model, base_url, f"{model}-well", priority=100, **PRICES) for model in FAILS_OVER]
    return models


def play_behaviours(upstream: ScriptedUpstream) -> None:
    """Tells every lane how to behave."""
    for lane, behaviour in BEHAVIOURS.items():
        upstream.lane(lane).default = behaviour


async def money_keys(gateway: Gateway, name: str, scale: float = 1.0) -> list[Key]:
    """Six keys of three members of two teams, with hard budgets of which a good part of the requests has no room."""

    def dollars(amount: float, *, hard: bool = True) -> dict[str, object]:
        return budget(f"{amount * scale:.9f}", hard=hard)

    tight = await make_team(gateway, f"{name}-tight", dollars(0.036))
    loose = await make_team(gateway, f"{name}-loose", dollars(0.002, hard=SOFT))
    ann = await make_member(gateway, tight, f"{name}-ann", dollars(0.016))
    ben = await make_member(gateway, tight, f"{name}-ben", dollars(0.03))
    cyd = await make_member(gateway, loose, f"{name}-cyd", None)
    return [
        await make_key(gateway, "ann-1", tight, ann, dollars(0.009)),
        await make_key(gateway, "ann-2", tight, ann, None),
        await make_key(gateway, "ben-1", tight, ben, dollars(0.02)),
        await make_key(gateway, "ben-2", tight, ben, None),
        await make_key(gateway, "cyd-1", loose, cyd, dollars(0.01)),
        await make_key(gateway, "cyd-2", loose, cyd, None),
    ]


def arrived(upstream: ScriptedUpstream, since_s: float) -> list[Recorded]:
    """The attempts that reached the upstream.

    One that a kept connection lost goes out a second time, on a connection for it alone, and is still one attempt.
    """
    found: list[Recorded] = []
    for lane in upstream.lanes.values():
        lost: dict[str, Recorded] = {}
        for request in lane.requests:
            if request.method != "POST" or request.began_s < since_s:
                continue
            request_id = request.headers["x-request-id"]
            is_second = request.headers.get("connection") == "close"
            if not is_second or lost.pop(request_id, None) is None:
                found.append(request)
            if not is_second:
                lost[request_id] = request
    return found


def asked_for(upstream: ScriptedUpstream, since_s: float) -> Counter[str]:
    """How many attempts of each request arrived, by the id that the gateway gave it."""
    return Counter(request.headers["x-request-id"] for request in arrived(upstream, since_s))


async def settled(
    money: MoneyFleet, upstream: ScriptedUpstream, keys: Sequence[Key], since_s: float, *, within_s: float
) -> Books:
    """Returns when the ledger has a row for each attempt that arrived, and the store of budgets has the same sums and
    holds nothing; also when that is not so in time: `check_money` says what is wrong."""
    teams = {key.team_id for key in keys}
    books = await read_books(money.database_url)

    async def done() -> bool:
        nonlocal books
        shown = await standings(money.fleet.next())
        if any(one.reserved_nano != 0 for one in shown.values()):
            return False
        books = await read_books(money.database_url)
        ours = {name: one.spent_nano for name, one in shown.items() if _is_of(name, keys)}
        agree = all(spent_nano == books.by_ledger.get(name, 0) for name, spent_nano in ours.items())
        return agree and not asked_for(upstream, since_s) - books.attempts

    try:
        await eventually(done, within_s=within_s, what="everything is written down")
    except AssertionError:
        print(await standings(money.fleet.next()))  # noqa: T201 - what is missing
    return Books([row for row in books.rows if row.team_id in teams], books.by_ledger, books.by_days, 0)


async def check_money(
    money: MoneyFleet, upstream: ScriptedUpstream, load: MoneyLoad, books: Books, since_s: float
) -> None:
    """Every attempt has its row, every row its attempt, and all sums are the same."""
    shown = {name: one for name, one in (await standings(money.fleet.next())).items() if _is_of(name, load.keys)}
    seen = arrived(upstream, since_s)
    counted = asked_for(upstream, since_s)
    rowless, unseen = counted - books.attempts, books.attempts - counted
    without_row = [one for one in seen if one.headers["x-request-id"] in rowless]
    assert not without_row, f"without a row: {without_row}, {[row for row in books.rows if row.request_id in rowless]}"
    without_attempt = [row for row in books.rows if row.request_id in unseen]
    assert not without_attempt, f"nobody was asked: {without_attempt}"
    assert len({(row.request_id, row.attempt) for row in books.rows}) == len(books.rows)
    assert books.by_ledger == books.by_days, f"{books.by_ledger} in the ledger, {books.by_days} in its sums"
    held = {name: one.reserved_nano for name, one in shown.items() if one.reserved_nano != 0}
    assert not held, f"still reserved: {held}"
    wrong = {
        name: one.spent_nano - books.by_ledger.get(name, 0)
        for name, one in shown.items()
        if one.spent_nano != books.by_ledger.get(name, 0)
    }
    assert not wrong, f"more in the store of budgets than in the ledger: {wrong}"
    overspent = [one for one in load.overspent() if _is_of(one.id, load.keys)]
    assert not overspent, f"overspent: {overspent[:5]}"
    assert [one for one in shown.values() if one.hard and one.spent_nano > one.amount_nano] == []
    _check_rows(books.rows, load.heard)


def _is_of(budget_id: str, keys: Sequence[Key]) -> bool:
    return any(part in budget_id for key in keys for part in (key.id, key.team_id))


def _check_rows(rows: Sequence[Row], heard: Sequence[Heard]) -> None:
    successes = {row.request_id: row for row in rows if row.outcome == "success"}
    for row in successes.values():
        assert row.estimated is (row.instance_id == "mute"), row
        if not row.estimated:
            used = (row.input_tokens, row.cached_input_tokens, row.output_tokens)
            assert used == (INPUT_TOKENS, CACHED_TOKENS, Behaviour().chunks)
            assert row.cost_nano == cost_nano(*used)
    for one in heard:
        if one.is_whole:
            assert one.request_id in successes
        if one.is_whole and one.cost_usd is not None:
            assert nano(one.cost_usd) == successes[one.request_id].cost_nano


def cost_nano(input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
    """What that costs with these prices."""
    fresh = input_tokens - cached_tokens
    return -(-(fresh * INPUT_MILLI + cached_tokens * CACHED_MILLI + output_tokens * OUTPUT_MILLI) // 1_000)


def figures(load: MoneyLoad, books: Books, since_s: float) -> str:
    """A line for people."""
    statuses = Counter(one.status for one in load.heard)
    outcomes = Counter(row.outcome for row in books.rows)
    waits = sorted(one.answered_s - one.began_s for one in load.heard)
    return (
        f"{len(load.heard)} requests {dict(statuses)}, {len(books.rows)} rows {dict(outcomes)}, "
        f"{sum(row.estimated for row in books.rows)} estimated, {len(load.seen)} looks at budgets, "
        f"p99 {waits[ceil(len(waits) * 0.99) - 1]:.2f} s, longest {waits[-1]:.2f} s, "
        f"all in {time.monotonic() - since_s:.1f} s"
    )

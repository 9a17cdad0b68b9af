"""Usage, as administrators read it: totals, records, both as CSV, and each caller what it may see."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest

from adapters.inbound.http.admin import csv_pages
from adapters.inbound.http.admin.csv_pages import harmless
from adapters.outbound.memory.usage_reports import MemoryUsageReports
from application.errors import StateUnavailable
from application.ports.usage_reports import UsageFilter
from domain.identifiers import InstanceId, RequestId, RouteSlug
from domain.pages import Page
from domain.usage_record import UsageOutcome, UsageRecord
from tests.integration.http.admin_world import NOW_US, Client, World

DAY_US = 86_400_000_000


def used(number: int, **other: Any) -> UsageRecord:
    record = UsageRecord(
        request_id=RequestId(f"r-{number}"),
        attempt=1,
        at_us=NOW_US + number,
        model_asked="gpt-4",
        account="team:t-own",
        method="POST",
        path="/v1/chat/completions",
        outcome=UsageOutcome.SUCCESS,
        status=200,
        instance_id=InstanceId("eu"),
        input_tokens=10,
        output_tokens=5,
        cost_nano=1_500_000_000,
        key_id="k-own",
        team_id="t-own",
    )
    return replace(record, **other)


async def world_of(*records: UsageRecord) -> World:
    world = await World().settle_in()
    await world.records.insert(records)
    return world


async def client_of(*records: UsageRecord) -> Client:
    return (await world_of(*records)).client()


FULL = used(
    1,
    attempt=2,
    outcome=UsageOutcome.CUT,
    client_request_id="mine",
    route=RouteSlug("smart"),
    model_used="gpt-4o",
    provider="openai",
    stream=True,
    cached_input_tokens=4,
    estimated=True,
    cost_nano=12_500_000,
    latency_us=1_234_500,
    ttft_us=250_000,
    user_id="u-one",
    tags=("a", "b"),
    error_code="stream_broken",
    first=False,
)


async def test_record_is_shown_whole_under_the_names_of_the_wire() -> None:
    shown = (await (await client_of(FULL))("GET", "/usage/records")).json

    assert shown["next"] is None
    assert shown["data"] == [
        {
            "request_id": "r-1",
            "attempt": 2,
            "at": "2026-11-23T12:00:00.000Z",
            "outcome": "cut",
            "status": 200,
            "model": "gpt-4",
            "route": "smart",
            "model_used": "gpt-4o",
            "instance": "eu",
            "provider": "openai",
            "input_tokens": 10,
            "output_tokens": 5,
            "cached_input_tokens": 4,
            "estimated": True,
            "cost_usd": "0.0125",
            "latency_ms": 1234.5,
            "ttft_ms": 250.0,
            "key_id": "k-own",
            "user_id": "u-one",
            "team_id": "t-own",
            "tags": ["a", "b"],
            "stream": True,
            "cache_hit": False,
            "error_code": "stream_broken",
            "method": "POST",
            "path": "/v1/chat/completions",
            "client_request_id": "mine",
        }
    ]


async def test_totals_count_requests_once_and_money_exactly() -> None:
    again = used(1, attempt=2, first=False, cost_nano=1, cached_input_tokens=3)
    ask = await client_of(used(1), again, used(2, at_us=NOW_US + DAY_US))

    shown = (await ask("GET", "/usage?group_by=day")).json

    first = {"group": "2026-11-23", "requests": 1, "attempts": 2, "input_tokens": 20, "output_tokens": 10}
    second = {"group": "2026-11-24", "requests": 1, "attempts": 1, "input_tokens": 10, "output_tokens": 5}
    assert shown == {
        "data": [
            {**first, "cached_input_tokens": 3, "cost_usd": "1.500000001"},
            {**second, "cached_input_tokens": 0, "cost_usd": "1.5"},
        ],
        "next": None,
    }
    assert (await ask("GET", "/usage")).json == shown


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        ("key", ["", "k-own"]),
        ("user", ["", "u-one"]),
        ("team", ["", "t-own"]),
        ("model", ["gpt-4", "own"]),
        ("instance", ["", "eu"]),
    ],
)
async def test_totals_are_grouped_by_what_was_asked(group_by: str, groups: list[str]) -> None:
    nobody = used(2, key_id=None, team_id=None, model_asked="own", instance_id=None)
    ask = await client_of(used(1, user_id="u-one"), nobody)

    shown = (await ask("GET", f"/usage?group_by={group_by}")).json

    assert [total["group"] for total in shown["data"]] == groups


MANY = (
    used(1, user_id="u-one"),
    used(2, key_id="k-other", at_us=NOW_US + DAY_US),
    used(3, model_asked="own", instance_id=InstanceId("us")),
    used(4, team_id="t-foreign", key_id=None),
)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [2, 4, 3, 1]),
        ("request_id=r-3", [3]),
        ("key_id=k-other", [2]),
        ("key_id=", [4]),
        ("user_id=u-one", [1]),
        ("team_id=t-foreign", [4]),
        ("model=own", [3]),
        ("instance=us", [3]),
        ("from=2026-11-24", [2]),
        ("to=2026-11-24T00:00:00Z", [4, 3, 1]),
        ("from=2026-11-23T12:00:00.000003Z&to=2026-11-23T14:00:00.000004%2B02:00", [3]),
        ("key_id=k-own&model=own", [3]),
        ("request_id=nothing", []),
    ],
)
async def test_filters_leave_what_matches_all_of_them(query: str, numbers: list[int]) -> None:
    ask = await client_of(*MANY)

    shown = (await ask("GET", f"/usage/records?{query}")).json
    totals = (await ask("GET", f"/usage?group_by=team&{query}")).json["data"]

    assert [record["request_id"] for record in shown["data"]] == [f"r-{number}" for number in numbers]
    assert sum(total["requests"] for total in totals) == len(numbers)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=yesterday", "from"),
        ("to=12", "to"),
        ("from_us=1", "from_us"),
        ("group_by=hour", "group_by"),
        ("after=x", "after"),
        ("limit=1001", "limit"),
        ("format=xlsx", "format"),
        ("keyid=k", "keyid"),
        ("format=csv&after=x", "after"),
    ],
)
async def test_query_that_makes_no_sense_is_refused_by_name(query: str, param: str) -> None:
    assert (await (await client_of())("GET", f"/usage?{query}")).error == (400, "invalid_request", param)


@pytest.mark.parametrize("credential", ["admin", "team-admin"])
@pytest.mark.parametrize(("path", "name"), [("/usage?group_by=model&", "group"), ("/usage/records?", "request_id")])
async def test_pages_hold_everything_once_and_in_order(credential: str, path: str, name: str) -> None:
    records = [used(n, model_asked=f"m-{n:02}", team_id="t-seen" if n % 3 else "t-own") for n in range(10)]
    world = await world_of(*records)
    await world.client()("PATCH", "/teams/t-seen/members/u-team-admin", {"role": "team-admin"})
    ask = world.client(credential)
    whole = [row[name] for row in (await ask("GET", path)).json["data"]]

    found: list[str] = []
    after = ""
    for _ in range(4):
        page = (await ask("GET", f"{path}limit=3{after}")).json
        found += [row[name] for row in page["data"]]
        after = f"&after={quote(page['next'])}" if page["next"] else ""

    assert (len(whole), found, after) == (10, whole, "")


async def test_team_admin_reads_the_usage_of_its_teams_alone() -> None:
    world = await world_of(*MANY, used(5, team_id=None, key_id="k-personal"), used(6, team_id="t-seen"))
    ask = world.client("team-admin")

    for path, name in (("/usage/records?", "team_id"), ("/usage?group_by=team&", "group")):
        assert {row[name] for row in (await ask("GET", path)).json["data"]} == {"t-own"}
        assert (await ask("GET", f"{path}format=csv")).text.count("t-foreign") == 0
        for hidden in ("team_id=t-foreign", "team_id=t-seen", "team_id=", "request_id=r-4", "key_id=k-personal"):
            assert (await ask("GET", path + hidden)).json == {"data": [], "next": None}
            assert len(rows_of((await ask("GET", f"{path}{hidden}&format=csv")).text)) == 1
    assert len((await ask.as_("viewer")("GET", "/usage/records")).json["data"]) == 6


async def test_who_manages_two_teams_reads_their_sum() -> None:
    world = await world_of(used(1), used(2, team_id="t-seen"), used(3, team_id="t-seen"), used(4, team_id="t-foreign"))
    await world.client()("PATCH", "/teams/t-seen/members/u-team-admin", {"role": "team-admin"})
    ask = world.client("team-admin")

    (total,) = (await ask("GET", "/usage?group_by=day")).json["data"]

    told = (total["requests"], total["attempts"], total["input_tokens"], total["output_tokens"], total["cost_usd"])
    assert told == (3, 3, 30, 15, "4.5")
    assert len((await ask("GET", "/usage/records?team_id=t-seen")).json["data"]) == 2


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


async def test_records_as_csv_are_those_of_the_list_with_a_header() -> None:
    ask = await client_of(FULL, used(2, error_code=None))

    answer = await ask("GET", "/usage/records?format=csv")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="usage-records.csv"'
    header, second, first = rows_of(answer.text)
    shown = (await ask("GET", "/usage/records")).json["data"]
    assert header == list(shown[0])
    told = dict(zip(header, first, strict=True))
    assert (told["cost_usd"], told["tags"], told["estimated"], told["latency_ms"]) == (
        "0.0125",
        "a;b",
        "true",
        "1234.5",
    )
    assert dict(zip(header, second, strict=True))["error_code"] == ""


async def test_totals_as_csv_have_a_header_of_their_own() -> None:
    answer = await (await client_of(used(1)))("GET", "/usage?group_by=key&format=csv")

    assert answer.text == (
        "group,requests,attempts,input_tokens,output_tokens,cached_input_tokens,cost_usd\r\nk-own,1,1,10,5,0,1.5\r\n"
    )


@pytest.mark.parametrize(
    ("accept", "query", "is_csv"),
    [
        ("text/csv", "", True),
        ("text/csv, application/json;q=0.5", "", True),
        ("application/json, text/csv;q=0.5", "", False),
        ("*/*", "", False),
        ("text/html", "", False),
        ("", "", False),
        ("text/csv", "?format=json", False),
        ("*/*", "?format=csv", True),
    ],
)
async def test_client_says_by_header_or_query_whether_it_wants_csv(accept: str, query: str, is_csv: bool) -> None:
    world = await world_of(used(1))
    headers = {"x-api-key": "admin", **({"accept": accept} if accept else {})}

    answer = await world.client().client.get(f"/admin/v1/usage{query}", headers=headers)

    assert answer.headers["content-type"].startswith("text/csv" if is_csv else "application/json")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"],
)
async def test_text_that_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    ask = await client_of(used(1, model_asked=text, tags=(text, "b")))

    header, row = rows_of((await ask("GET", "/usage/records?format=csv")).text)

    told = dict(zip(header, row, strict=True))
    assert (told["model"], told["tags"]) == (f"'{text}", f"'{text};b")


@pytest.mark.parametrize("text", ["gpt-4", "a=b", "'x", "", "\u0661"])
def test_text_that_no_spreadsheet_runs_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


async def test_what_a_cell_holds_can_not_end_it() -> None:
    name = 'a",b\r\nc;"'

    _, row = rows_of(
        (await (await client_of(used(1, model_asked=name)))("GET", "/usage?group_by=model&format=csv")).text
    )

    assert row[0] == name


async def test_csv_holds_all_pages() -> None:
    ask = await client_of(*(used(number) for number in range(2_345)))

    rows = rows_of((await ask("GET", "/usage/records?format=csv")).text)

    assert [row[0] for row in rows[1:]] == [f"r-{number}" for number in reversed(range(2_345))]


async def test_csv_that_ends_before_the_list_says_so_and_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pages, "MOST_ROWS", 3)
    ask = await client_of(*(used(number) for number in range(5)))

    *rows, word = rows_of((await ask("GET", "/usage/records?format=csv")).text)
    start, _, after = word[0].partition("after=")
    rest = rows_of((await ask("GET", f"/usage/records?format=csv&after={after}")).text)

    assert start == "# incomplete: 3 rows; the rest is what comes "
    assert [row[0] for row in (*rows[1:], *rest[1:])] == [f"r-{number}" for number in (4, 3, 2, 1, 0)]


async def test_limit_bounds_the_rows_of_a_csv() -> None:
    ask = await client_of(*(used(number) for number in range(3)))

    rows = rows_of((await ask("GET", "/usage/records?format=csv&limit=2")).text)

    assert [row[0] for row in rows[1:3]] == ["r-2", "r-1"]
    assert rows[3][0].startswith("# incomplete: 2 rows;")
    assert len(rows) == 4


@dataclass
class FailingReports:
    """Answers so many questions, and no more."""

    inner: MemoryUsageReports
    answers: int

    async def records(self, asked: UsageFilter, limit: int, after: str | None = None) -> Page[UsageRecord]:
        if not self.answers:
            raise StateUnavailable("the database is away")
        self.answers -= 1
        return await self.inner.records(asked, limit, after)


async def failing(records: Sequence[UsageRecord], answers: int) -> Client:
    world = await world_of(*records)
    world.reports = FailingReports(MemoryUsageReports(world.records), answers)  # type: ignore[assignment]
    return world.client()


async def test_csv_whose_first_page_can_not_be_read_is_an_error_as_any_other() -> None:
    for query in ("", "?format=csv"):
        answer = await (await failing([used(1)], 0))("GET", f"/usage/records{query}")
        assert answer.error == (503, "state_unavailable", None)


async def test_csv_that_breaks_off_says_so_in_its_last_line() -> None:
    ask = await failing([used(number) for number in range(1_500)], 1)

    answer = await ask("GET", "/usage/records?format=csv")

    rows = rows_of(answer.text)
    assert (answer.status, len(rows)) == (200, 1_002)
    assert rows[-1][0].startswith("# incomplete: 1000 rows, then: the database is away; the rest is what comes after=")

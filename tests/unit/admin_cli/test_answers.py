"""What is printed of answers, and of none."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import httpx
import pytest
from click.testing import Result

from adapters.inbound.cli.admin.output import as_lines, as_table
from adapters.inbound.http.admin.route import AnyRoute, Method
from adapters.inbound.http.admin.schema import Listing, PageQuery, Schema
from domain.principal import Permission
from tests.unit.admin_cli.typed import KEY, URL, SpyGateway, Typist, failing, lines, route


class Size(Schema):
    high: int | None = None
    wide: int | None = None


class Thing(Schema):
    id: str
    is_old: bool | None = None
    size: Size | None = None
    tags: Sequence[str] = ()
    routes: dict[str, str] | None = None
    story: dict[str, Any] | None = None


class Things(Listing[Thing]):
    """Things."""


class Sheets(PageQuery):
    format: Literal["json", "csv"] | None = None


class Secret(Schema):
    id: str
    key: str


THINGS = route(Method.GET, "/things", query=Sheets, response=Things, media="text/csv")
PLAIN = route(Method.GET, "/plain", query=PageQuery, response=Things)
THING = route(Method.GET, "/things/{thing_id}", response=Thing)
DELETE = route(Method.DELETE, "/things/{thing_id}", response=None, status=204)
NEW = route(Method.POST, "/secrets", response=Secret, status=201, permission=Permission.CHANGE_TENANTS)
TABLE: tuple[AnyRoute, ...] = (THINGS, PLAIN, THING, DELETE, NEW)


def answered(*words: str, document: object = None, status: int = 200) -> Result:
    return Typist(TABLE, SpyGateway(lambda _: httpx.Response(status, json=document)))(*words)


def thing(thing_id: str, **other: object) -> dict[str, object]:
    empty: dict[str, object] = {
        "is_old": None,
        "size": {"high": None, "wide": None},
        "tags": [],
        "routes": {},
        "story": None,
    }
    return {"id": thing_id, **empty, **other}


def pages(request: httpx.Request) -> httpx.Response:
    number = int(request.url.params.get("after", "0"))
    following = None if number == 2 else str(number + 1)
    return httpx.Response(200, json={"data": [thing(f"t{number}")], "next": following})


def test_a_list_is_a_table_without_columns_that_nobody_fills() -> None:
    rows = [
        thing("one", is_old=False, size={"high": 3, "wide": None}),
        thing("two", tags=["a", "b"], routes={"x": "y"}),
    ]

    result = answered("things", "list", document={"data": rows, "next": None})

    assert lines(result) == [
        "ID   IS OLD  SIZE.HIGH  TAGS  ROUTES",
        "one  no      3          -     -",
        "two  -       -          a, b  x=y",
    ]
    assert result.stderr == ""


def test_a_list_that_has_more_says_how_to_get_it() -> None:
    result = answered("things", document={"data": [thing("one")], "next": "c 1"})

    assert lines(result) == ["ID", "one"]
    assert result.stderr == "There is more: --after 'c 1', or --all.\n"


def test_an_empty_list_prints_nothing_to_read_on() -> None:
    result = answered("things", document={"data": [], "next": None})

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "None found.\n")


def test_all_pages_are_one_list() -> None:
    typist = Typist(TABLE, SpyGateway(pages))

    assert lines(typist("things", "--all", "--limit", "1")) == ["ID", "t0", "t1", "t2"]
    assert [str(request.url.query, "ascii") for request in typist.gateway.seen] == [
        "limit=1",
        "limit=1&after=1",
        "limit=1&after=2",
    ]


def test_all_pages_as_json_are_one_document() -> None:
    result = Typist(TABLE, SpyGateway(pages))("things", "--all", "--json", "--after", "1")

    assert json.loads(result.stdout) == {"data": [thing("t1"), thing("t2")], "next": None}


def test_pages_that_lead_in_a_circle_end() -> None:
    round_and_round = SpyGateway(lambda _: httpx.Response(200, json={"data": [], "next": "same"}))

    result = Typist(TABLE, round_and_round)("things", "--all")

    assert (result.exit_code, result.stderr) == (1, f"{URL}: the pages of this list lead in a circle\n")


def test_json_is_the_whole_answer() -> None:
    document = {"data": [{"new_field": "ü"}], "next": "c"}

    result = answered("things", "--json", document=document)

    assert json.loads(result.stdout) == document
    assert "ü" in result.stdout


def test_csv_is_asked_for_and_passed_on_as_it_comes() -> None:
    gateway = SpyGateway(lambda _: httpx.Response(200, content=b"a,b\r\n1,2\r\n"))
    typist = Typist(TABLE, gateway)

    result = typist("things", "--csv", "--limit", "5")

    assert result.stdout_bytes == b"a,b\r\n1,2\r\n"
    assert (gateway.seen[0].headers["accept"], gateway.seen[0].url.query) == ("text/csv", b"limit=5&format=csv")
    assert "--format" not in typist("things", "list", "--help").stdout


@pytest.mark.parametrize("other", ["--json", "--all"])
def test_csv_stands_alone(other: str) -> None:
    result = answered("things", "--csv", other)

    assert (result.exit_code, result.stderr) == (2, "--csv stands alone: without --json and --all.\n")


def test_csv_is_offered_only_where_there_is_some() -> None:
    assert answered("plain", "--csv").exit_code == 2


def test_one_thing_is_a_line_for_each_value() -> None:
    document = thing("one", is_old=True, size={"high": 1, "wide": 2}, story={"parts": [{"a": 1}, {"a": []}], "b": ""})

    assert lines(answered("things", "show", "one", document=document)) == [
        "id: one",
        "is_old: yes",
        "size.high: 1",
        "size.wide: 2",
        "tags: -",
        "routes: -",
        "story.parts[0].a: 1",
        "story.parts[1].a: -",
        'story.b: ""',
    ]


def test_nothing_to_say_is_done() -> None:
    result = Typist(TABLE, SpyGateway(lambda _: httpx.Response(204)))("things", "delete", "one")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "Done.\n", "")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_new_key_is_printed_once_and_said_to_be(form: list[str]) -> None:
    result = answered("secrets", "create", *form, document={"id": "k", "key": "mg_secret"}, status=201)

    assert result.stdout.count("mg_secret") == 1
    assert result.stderr == "The key is shown this once: keep it now.\n"


def test_what_a_terminal_would_obey_is_shown_as_text() -> None:
    assert as_lines({"name\x1b": "a\x1b[2Jb\n"}) == "name\\x1b: a\\x1b[2Jb\\n"
    assert as_table(Things, [{"id": "\x07"}]) == "ID\n\\x07"


def test_a_long_value_is_cut_and_an_id_never() -> None:
    long = "x" * 100
    last = as_table(Things, [thing(long, tags=[long])]).splitlines()[-1]

    assert last == f"{long}  {'x' * 59}…"


def test_error_of_the_api_is_its_message_and_status_1() -> None:
    result = Typist(TABLE, failing(404, {"error": {"message": "There is no\x1b thing."}}))("things", "show", "x")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "There is no  thing.\n")


def test_a_key_that_is_refused_is_told_by_where_it_was_found() -> None:
    result = Typist(TABLE, failing(401, {"error": {"message": "No valid API key."}}))("things")

    assert (result.exit_code, result.stderr) == (1, "No valid API key. (the key is from MOONGATE_ADMIN_KEY)\n")
    assert KEY not in result.stderr


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (httpx.Response(502, text="<html>"), f"{URL} answered 502, and not as Moongate does"),
        (httpx.Response(302, headers={"location": "http://x"}), f"{URL} answered 302, and not as Moongate does"),
        (httpx.Response(200, text="ok"), f"{URL} answered 200 without JSON: is that a Moongate gateway?"),
        (httpx.Response(200, json=[1]), f"{URL} answered 200 without JSON: is that a Moongate gateway?"),
    ],
)
def test_what_is_no_gateway_is_one_clear_line(answer: httpx.Response, line: str) -> None:
    result = Typist(TABLE, SpyGateway(lambda _: answer))("things", "show", "x")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            httpx.ConnectError("refused"),
            f"no gateway answers at {URL} (refused); --url or MOONGATE_URL says where it is",
        ),
        (httpx.ReadTimeout(""), f"{URL} did not answer in time; what was asked may be done all the same"),
        (httpx.ReadError("reset"), f"{URL}: reset"),
    ],
)
def test_no_answer_is_one_clear_line(error: Exception, line: str) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    result = Typist(TABLE, SpyGateway(fail))("things", "delete", "x")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")

"""What commands are called: of the table as it is, and of any that may come."""

import pytest

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.cli.admin.naming import Named, named
from adapters.inbound.http.admin.route import AnyRoute, Method
from adapters.inbound.http.admin.schema import Listing
from tests.unit.admin_cli.typed import Empty, Typist, route

GET, POST, PUT, PATCH, DELETE = Method
TABLE = declared_routes()


def names(*routes: AnyRoute) -> list[str]:
    return [" ".join(each.words) for each in named(routes)]


def test_every_route_of_the_table_has_one_command_of_its_own() -> None:
    found = named(TABLE)

    assert [each.route for each in found] == list(TABLE)
    assert len({each.words for each in found}) == len(TABLE) > 30


@pytest.mark.parametrize("each", named(TABLE), ids=lambda each: " ".join(each.words))
def test_every_command_can_be_found_and_helps(each: Named) -> None:
    result = Typist(TABLE)(*each.words, "--help")

    assert result.exit_code == 0, result.stderr
    assert f" {' '.join(each.words)} [OPTIONS]" in result.stdout
    assert each.route.summary in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/keys", "keys list"),
        ("POST", "/keys", "keys create"),
        ("GET", "/keys/{key_id}", "keys show"),
        ("PATCH", "/keys/{key_id}", "keys update"),
        ("DELETE", "/keys/{key_id}", "keys revoke"),
        ("POST", "/keys/{key_id}/rotate", "keys rotate"),
        ("GET", "/teams/{team_id}/members", "teams members list"),
        ("POST", "/teams/{team_id}/members", "teams members add"),
        ("DELETE", "/teams/{team_id}/members/{user_id}", "teams members remove"),
        ("DELETE", "/teams/{team_id}", "teams delete"),
        ("POST", "/instances/{instance_id:path}/drain", "instances drain"),
        ("POST", "/prices/overrides", "prices overrides create"),
        ("PUT", "/budgets/{budget_id}", "budgets set"),
    ],
)
def test_a_route_of_the_table_is_called_what_people_expect(method: str, path: str, words: str) -> None:
    found = {(str(each.route.method), each.route.path): " ".join(each.words) for each in named(TABLE)}

    assert found[method, path] == words


def test_last_word_of_a_path_is_a_verb_where_nothing_is_behind_it() -> None:
    table = [route(GET, "/cache/stats"), route(POST, "/cache/purge"), route(GET, "/usage/by_day")]

    assert names(*table) == ["cache stats", "cache purge", "usage by-day"]


def test_last_word_of_a_path_is_no_verb_where_several_things_are_done_to_it() -> None:
    table = [route(GET, "/models/{model}/price"), route(PUT, "/models/{model}/price")]

    assert names(*table) == ["models price show", "models price set"]


def test_what_is_one_thing_is_shown_and_what_is_many_is_listed() -> None:
    class Many(Listing[Empty]):
        """Many."""

    many = [route(GET, "/circuits", response=Many), route(GET, "/routes"), route(GET, "/routes/{slug}")]

    assert names(route(GET, "/status"), *many) == ["status show", "circuits list", "routes list", "routes show"]


def test_a_verb_for_one_and_for_all_is_two_commands() -> None:
    assert names(
        route(POST, "/dlq/{entry_id}/replay"),
        route(POST, "/dlq/replay"),
        route(DELETE, "/dlq"),
        route(DELETE, "/dlq/{entry_id}"),
    ) == ["dlq replay", "dlq replay-all", "dlq discard-all", "dlq discard"]


@pytest.mark.parametrize(
    "table",
    [
        [route(GET, "/a_b"), route(GET, "/a-b")],
        [route(GET, "/x/parts"), route(GET, "/x/{id}/parts/{part}")],
    ],
)
def test_two_commands_of_one_name_are_refused(table: list[AnyRoute]) -> None:
    with pytest.raises(ValueError, match=r"several routes|both a command"):
        named(table)


def test_the_regular_word_is_understood_where_another_is_said() -> None:
    typist = Typist([route(DELETE, "/keys/{key_id}")])

    assert typist("keys", "delete", "k1").exit_code == 0
    assert "delete" not in typist("keys", "--help").stdout
    assert str(typist.gateway.seen[0].url) == "http://gateway.test:8080/admin/v1/keys/k1"


def test_a_name_that_is_taken_gets_another() -> None:
    typist = Typist([route(GET, "/routes"), route(GET, "/status")], taken=["routes", "serve"])

    assert set(typist.cli.commands) == {"live-routes", "status"}
    assert typist("live-routes").exit_code == 0


def test_a_resource_alone_lists_with_options_and_without() -> None:
    typist = Typist(TABLE)

    typist("keys")
    typist("keys", "--team-id", "t1")
    typist("keys", "list")

    paths = [str(request.url).partition("/admin/v1")[2] for request in typist.gateway.seen]
    assert paths == ["/keys", "/keys?team_id=t1", "/keys"]


def test_a_resource_that_needs_to_know_more_explains_itself() -> None:
    result = Typist(TABLE)("teams", "members")

    assert result.exit_code == 2
    assert "remove" in result.stderr

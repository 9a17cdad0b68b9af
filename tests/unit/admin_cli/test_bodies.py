"""From arguments to requests: for every route of the table, and for what it does not show."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.cli.admin.naming import Named, named
from adapters.inbound.cli.admin.options import options_of
from adapters.inbound.cli.admin.shape import Field, Kind
from adapters.inbound.http.admin.schema import NoFields
from tests.unit.admin_cli.typed import Typist

TABLE = declared_routes()
WITH_BODY = [each for each in named(TABLE) if each.route.request is not NoFields]
NAMES = st.sampled_from(["x", "a b", "ключ", "-dash", "--json", "50", "UTC", "x@example.org", "team:1"])
PIECES = st.lists(st.sampled_from(["a", "b c", "*", "d/e"]), unique=True, max_size=3)


def texts(field: Field) -> st.SearchStrategy[Any]:
    if field.choices:
        return st.sampled_from(field.choices)
    return NAMES if field.example is None else st.sampled_from([field.example, "x"])


def values(field: Field) -> st.SearchStrategy[Any]:
    match field.kind:
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.INTEGER:
            return st.integers(-1, 10**6)
        case Kind.NUMBER:
            return st.floats(allow_nan=False, allow_infinity=False)
        case Kind.TEXTS:
            return PIECES if not field.choices else st.lists(st.sampled_from(field.choices), min_size=1, unique=True)
        case Kind.PAIRS:
            return st.dictionaries(st.sampled_from(["fast", "slow"]), NAMES, min_size=1)
        case _:
            return texts(field)


def typed(field: Field, value: Any) -> list[str]:
    match field.kind:
        case Kind.BOOLEAN:
            return [field.option if value else f"--no-{field.option.removeprefix('--')}"]
        case Kind.TEXTS:
            return [field.option, ",".join(value)]
        case Kind.PAIRS:
            return [word for name, text in value.items() for word in (field.option, f"{name}={text}")]
        case _:
            return [field.option, str(value)]


def nested(chosen: dict[Field, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for field, value in chosen.items():
        inner = document
        for name in field.path[:-1]:
            inner = inner.setdefault(name, {})
        inner[field.path[-1]] = value
    return document


def fits(each: Named, document: dict[str, Any]) -> bool:
    try:
        each.route.request.model_validate_json(json.dumps(document))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("each", WITH_BODY, ids=lambda each: " ".join(each.words))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_arguments_make_the_body_that_they_say_and_what_the_api_would_refuse_is_not_sent(
    each: Named, data: st.DataObject
) -> None:
    shown = [field for field in options_of(each.route).body if field.kind is not Kind.OTHER]
    picked = data.draw(st.lists(st.sampled_from(shown), unique=True, max_size=6))
    needed = [field for field in shown if field.required and data.draw(st.integers(0, 9))]
    chosen = {field: data.draw(values(field)) for field in {*picked, *needed}}
    expected = nested(chosen)
    typist = Typist(TABLE)

    words = [word for field, value in chosen.items() for word in typed(field, value)]
    result = typist(*each.words, *["id"] * len(each.route.parameters), *words)

    if fits(each, expected):
        assert (result.exit_code, result.stderr.count("\n")) in {(0, 0), (0, 1)}, result.stderr
        assert typist.gateway.body == expected
    else:
        assert (result.exit_code, typist.gateway.seen) == (2, [])


@pytest.mark.parametrize("each", named(TABLE), ids=lambda each: " ".join(each.words))
def test_every_field_of_a_route_is_an_option_and_no_two_are_one(each: Named) -> None:
    options = options_of(each.route)
    known = {name for parameter in options.parameters() for name in parameter.opts}

    assert {field.path[0] for field in options.body} == set(each.route.request.model_fields)
    assert {field.option for field in (*options.query, *options.body) if field.kind is not Kind.OTHER} <= known
    assert {"--url", "--key-file", "--config", "--data-dir", "--json", "--csv", "--all", "--help"} & known == set()
    assert len(known) == sum(len(parameter.opts) for parameter in options.parameters())


def sent(*words: str) -> Any:
    typist = Typist(TABLE)
    result = typist(*words)
    assert result.exit_code == 0, result.stderr
    return typist.gateway.body


def refusal(*words: str) -> str:
    typist = Typist(TABLE)
    result = typist(*words)
    assert (result.exit_code, typist.gateway.seen, result.stdout) == (2, [], "")
    (line,) = result.stderr.splitlines()
    return str(line)


def test_the_command_of_the_handbook_makes_the_body_of_the_handbook() -> None:
    words = "keys create --name ci --team-id T --budget.amount-usd 50 --limits.rpm 100 --models a,b --models c"
    assert sent(*words.split()) == {
        "name": "ci",
        "team_id": "T",
        "budget": {"amount_usd": "50"},
        "limits": {"rpm": 100},
        "models": ["a", "b", "c"],
    }


def test_an_empty_list_is_none_of_them_and_null_is_what_is_cleared() -> None:
    assert sent("keys", "update", "k", "--models", "") == {"models": []}
    assert sent("keys", "update", "k", "--clear", "models", "--clear", "limits.max-parallel") == {
        "models": None,
        "limits": {"max_parallel": None},
    }


def test_json_is_taken_for_any_field() -> None:
    words = ["keys", "create", "--set", 'name="a,b"', "--set", "limits.rpm=5", "--set", "models=null"]
    assert sent(*words) == {"name": "a,b", "limits": {"rpm": 5}, "models": None}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["keys", "create"], "--name: this field is required."),
        (["keys", "create", "--name", "x", "--no-budget.hard"], "--budget.amount-usd: this field is required."),
        (["keys", "create", "--name", "x", "--set", "limits.rqm=1"], "limits.rqm: unknown field."),
        (["keys", "create", "--name", "x", "--set", "name=1"], "--name: given twice."),
        (["keys", "update", "k", "--clear", "limits", "--limits.rpm", "1"], "limits: given twice."),
        (
            ["keys", "update", "k", "--set", "name=x"],
            "--set name: expected JSON behind the '='; a text is name='\"text\"'.",
        ),
        (["keys", "update", "k", "--set", "name"], "--set: expected NAME=VALUE, found 'name'."),
        (["keys", "update", "k", "--routes", "fast"], "--routes: expected NAME=VALUE, found 'fast'."),
        (["keys", "list", "--limit", "0"], "--limit: input should be greater than or equal to 1."),
        (["keys", "create", "--nmae", "x"], "No such option '--nmae'. Did you mean '--name'?"),
    ],
)
def test_what_the_api_would_refuse_is_said_by_the_name_of_the_option(words: list[str], line: str) -> None:
    assert refusal(*words) == line


def test_only_what_may_be_null_can_be_cleared() -> None:
    assert refusal("keys", "update", "k", "--clear", "name").startswith("--clear name: expected one of models, tags")


@pytest.mark.parametrize("key_id", ["", ".", "..", "a\nb", "\udcff"])
def test_an_id_that_would_lead_elsewhere_is_refused(key_id: str) -> None:
    assert refusal("keys", "revoke", key_id) == f"key_id: {key_id!r} is no id."


@pytest.mark.parametrize("instance_id", ["a/../../keys/k1", "a//b", "/a"])
def test_an_id_of_several_parts_does_not_climb(instance_id: str) -> None:
    assert "is no id" in refusal("instances", "drain", instance_id)


def test_ids_are_quoted_and_keep_the_slashes_that_they_may_have() -> None:
    typist = Typist(TABLE)

    typist("keys", "revoke", "a/b?c#d%2e")
    typist("instances", "drain", "a/b c")

    paths = [request.url.raw_path for request in typist.gateway.seen]
    assert paths == [b"/admin/v1/keys/a%2Fb%3Fc%23d%252e", b"/admin/v1/instances/a/b%20c/drain"]

"""The OpenAPI document and the page: whole, true, and open to all."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.app import GatewayApp
from adapters.inbound.http.errors import TABLE
from adapters.inbound.http.forwarded_operations import FORWARDED_SUMMARIES
from adapters.inbound.http.llm_operations import LLM_SCHEMAS, REQUEST_SCHEMAS
from adapters.inbound.http.schemas import parse_llm_request
from application.errors import InvalidRequest
from application.use_cases.admin.find_principal import FindPrincipal
from domain.chat import Endpoint
from tests.integration.http.admin_world import World, whole_table
from tests.integration.http.stubs import http_app

ROUTES = whole_table()
LLM = {
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/models",
    "/v1/models/{model}",
    *(path for path, _ in FORWARDED_SUMMARIES.values()),
}
LLM |= {"/v1/messages", "/v1/messages/count_tokens"}
OPEN = {"/health", "/ready", "/docs", "/openapi.json", "/metrics"}
LEAST: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True},
    Endpoint.COMPLETIONS: {"model": "m", "prompt": "x", "stream": True},
    Endpoint.EMBEDDINGS: {"model": "m", "input": "x"},
    Endpoint.MODERATIONS: {"model": "m", "input": "x"},
    Endpoint.IMAGES: {"model": "m", "prompt": "x"},
    Endpoint.SPEECH: {"model": "m", "input": "x"},
    Endpoint.RERANK: {"model": "m", "query": "x", "documents": ["y"]},
    Endpoint.MESSAGES: {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5},
    Endpoint.COUNT_TOKENS: {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    Endpoint.RESPONSES: {"model": "m", "input": "x", "stream": True},
}


def app() -> GatewayApp:
    return http_app(admin=AdminApi(FindPrincipal(World().store), ROUTES))


async def document() -> dict[str, Any]:
    answer = await app().test_client().get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    found = await answer.get_json()
    assert isinstance(found, dict)
    return found


def references_in(value: object) -> set[str]:
    match value:
        case dict():
            own = {str(value["$ref"])} if "$ref" in value else set()
            return own.union(*(references_in(item) for item in value.values()))
        case list():
            return set().union(*(references_in(item) for item in value))
        case _:
            return set()


async def test_document_holds_every_endpoint_and_nothing_else() -> None:
    told = await document()

    offered = {(path, method) for path, item in told["paths"].items() for method in item}
    admin = {(route.template, route.method.lower()) for route in ROUTES}
    assert {pair for pair in offered if pair[0].startswith("/admin/")} == admin
    assert {path for path, _ in offered} - {path for path, _ in admin} == LLM | OPEN
    assert told["openapi"] == "3.1.0"


async def test_a_body_without_required_fields_need_not_be_sent() -> None:
    paths = (await document())["paths"]
    assert paths["/admin/v1/keys/{key_id}"]["patch"]["requestBody"]["required"] is False
    assert paths["/admin/v1/keys"]["post"]["requestBody"]["required"] is True


@pytest.mark.parametrize(
    ("endpoint", "wrong"),
    [
        (Endpoint.CHAT, {"messages": [{}]}),
        (Endpoint.MESSAGES, {"messages": [{}]}),
        (Endpoint.COMPLETIONS, {"prompt": [None]}),
        (Endpoint.EMBEDDINGS, {"input": []}),
        (Endpoint.MODERATIONS, {"input": ""}),
        (Endpoint.RERANK, {"documents": [None]}),
    ],
)
def test_what_a_list_must_hold_is_in_the_document(endpoint: Endpoint, wrong: dict[str, Any]) -> None:
    asked = {**LEAST[endpoint], **wrong}
    with pytest.raises(InvalidRequest):
        parse_llm_request(endpoint, json.dumps(asked).encode())
    schema = LLM_SCHEMAS[REQUEST_SCHEMAS[endpoint]]
    assert jsonschema_rs.validator_for(schema).is_valid(LEAST[endpoint])
    assert not jsonschema_rs.validator_for(schema).is_valid(asked)


async def test_each_path_of_the_document_is_a_path_of_the_application() -> None:
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app().url_map.iter_rules()}

    assert set((await document())["paths"]) <= rules


async def test_each_reference_of_the_document_leads_to_a_schema() -> None:
    told = await document()

    assert references_in(told) == {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}


async def test_null_is_no_fields_default_where_it_removes() -> None:
    schemas = (await document())["components"]["schemas"]

    for name in ("KeyChange", "TeamChange", "UserChange", "MemberChange", "BudgetChange", "LimitsIn"):
        assert schemas[name].get("required") is None
        assert {field for field, told in schemas[name]["properties"].items() if "default" in told} == set()
    assert schemas["KeyIn"]["required"] == ["name"]
    assert schemas["KeyIn"]["properties"]["blocked"]["default"] is False
    assert schemas["BudgetIn"]["properties"]["period"]["default"] == "monthly"


async def test_parameters_permissions_and_statuses_are_those_of_the_table() -> None:
    paths = (await document())["paths"]

    for route in ROUTES:
        operation = paths[route.template][route.method.lower()]
        told = {(parameter["name"], parameter["in"]) for parameter in operation["parameters"]}
        queried = {(found.alias or name, "query") for name, found in route.query.model_fields.items()}
        assert told == {(name, "path") for name in route.parameters} | queried
        assert operation["x-permission"] == route.permission
        assert {str(route.status), "400", "401", "403", "404", "409", "503"} <= set(operation["responses"])


async def test_codes_of_all_errors_are_told() -> None:
    told = await document()
    operations = [operation for item in told["paths"].values() for operation in item.values()]

    spoken = {
        code
        for operation in operations
        for answer in operation["responses"].values()
        for code in re.findall(r"`(\w+)`", answer["description"])
    }

    # Where a method is none, there is no operation that could tell of it.
    assert spoken == {row.code for row in TABLE.values()} - {"method_not_allowed"}


def wrong_values(schema: dict[str, Any]) -> list[object]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    samples: dict[str, object] = {"string": "x", "integer": 1, "boolean": True, "array": [1.5], "object": {"x": 1}}
    wrong = [value for kind, value in samples.items() if kind not in kinds]
    if "number" in kinds:
        wrong.remove(1)
    bounds = [schema["minimum"] - 1, schema["maximum"] + 1] if "maximum" in schema else []
    return [*wrong, *bounds]


@pytest.mark.parametrize("endpoint", LEAST)
def test_schema_of_a_request_refuses_what_the_parser_refuses(endpoint: Endpoint) -> None:
    declared = LLM_SCHEMAS[REQUEST_SCHEMAS[endpoint]]
    parse(endpoint, LEAST[endpoint])

    for name in declared["required"]:
        with pytest.raises(InvalidRequest):
            parse(endpoint, {key: value for key, value in LEAST[endpoint].items() if key != name})
    for name, schema in declared["properties"].items():
        for value in wrong_values(schema):
            with pytest.raises(InvalidRequest):
                parse(endpoint, {**LEAST[endpoint], name: value})
        for bound in ("minimum", "maximum"):
            if bound in schema:
                parse(endpoint, {**LEAST[endpoint], name: schema[bound]})


def parse(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    parse_llm_request(endpoint, json.dumps(fields).encode())


async def test_page_lists_every_route_and_loads_nothing() -> None:
    answer = await app().test_client().get("/docs")

    page = await answer.get_data(as_text=True)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"<script|https?:|\son\w+=|\ssrc=", page)
    assert {route.template for route in ROUTES} <= set(re.findall(r"<code>([^<]+)</code>", page))

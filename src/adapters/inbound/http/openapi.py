"""The OpenAPI document, made from what parses requests and makes answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.inbound.http.admin.route import AnyRoute
from adapters.inbound.http.admin.schema import NoFields
from adapters.inbound.http.llm_operations import LLM_SCHEMAS, llm_paths
from adapters.inbound.http.openapi_errors import ERROR_SCHEMAS, error_responses

Json = dict[str, Any]
_References = Mapping[Any, Json]

_REFERENCE = "#/components/schemas/{model}"
_TEXTS = {"/docs": "text/html", "/metrics": "text/plain"}
_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
}


def openapi_document(routes: Iterable[AnyRoute], version: str) -> Json:
    """OpenAPI 3.1 for the admin API, the LLM endpoints and the operations beside them."""
    table = tuple(routes)
    schemas, references = _schemas(table)
    paths: dict[str, Json] = {**_open_paths(), **llm_paths()}
    for route in table:
        paths.setdefault(route.template, {})[route.method.value.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Moongate", "version": version, "summary": "One OpenAI-compatible endpoint for many models."},
        "security": [{name: []} for name in _SECURITY],
        "paths": paths,
        "components": {"schemas": {**schemas, **LLM_SCHEMAS, **ERROR_SCHEMAS}, "securitySchemes": _SECURITY},
    }


def _schemas(table: tuple[AnyRoute, ...]) -> tuple[Json, _References]:
    asked: set[tuple[type[BaseModel], Any]] = {(route.request, "validation") for route in table}
    asked |= {(route.response, "serialization") for route in table if route.response is not None}
    asked.discard((NoFields, "validation"))
    # In order, so that the document is the same each time.
    ordered = sorted(asked, key=lambda pair: (pair[0].__name__, pair[1]))
    references, document = models_json_schema(ordered, ref_template=_REFERENCE)
    return document.get("$defs", {}), references


def _operation(route: AnyRoute, references: _References) -> Json:
    operation: Json = {
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "x-permission": route.permission.value,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {str(route.status): _success(route, references), **error_responses(admin=True)},
    }
    if route.request is not NoFields:
        schema = references[route.request, "validation"]
        needed = any(field.is_required() for field in route.request.model_fields.values())
        operation["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    return operation


def _path_parameters(route: AnyRoute) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.parameters]


def _query_parameters(route: AnyRoute) -> list[Json]:
    schema = route.query.model_json_schema(ref_template=_REFERENCE)
    definitions, required = schema.get("$defs", {}), schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(found, definitions)}
        for name, found in schema.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: Json) -> Any:
    """With what it refers to in its place: parameters are few and small."""
    match schema:
        case {"$ref": str() as reference}:
            return _inlined(definitions[reference.rsplit("/", 1)[1]], definitions)
        case dict():
            return {name: _inlined(value, definitions) for name, value in schema.items()}
        case list():
            return [_inlined(value, definitions) for value in schema]
        case _:
            return schema


def _success(route: AnyRoute, references: _References) -> Json:
    if route.response is None:
        return {"description": "Done."}
    content: Json = {"application/json": {"schema": references[route.response, "serialization"]}}
    if route.media is not None:
        content[route.media] = {"schema": {"type": "string"}}
    return {"description": "Done.", "content": content}


def _open_paths() -> dict[str, Json]:
    told = {
        "/health": "Whether the process runs",
        "/ready": "Whether it can serve, with the parts it checked",
        "/openapi.json": "This document",
        "/docs": "This document as a page",
        "/metrics": "Metrics for Prometheus; not found where they are turned off",
    }
    return {path: {"get": _open_operation(path, summary)} for path, summary in told.items()}


def _open_operation(path: str, summary: str) -> Json:
    media = _TEXTS.get(path, "application/json")
    schema = {"type": "string"} if path in _TEXTS else {"type": "object"}
    responses: Json = {"200": {"description": "Done.", "content": {media: {"schema": schema}}}}
    if path == "/ready":
        responses["503"] = {**responses["200"], "description": "Not ready."}
    return {"summary": summary, "tags": ["operations"], "security": [], "responses": responses}

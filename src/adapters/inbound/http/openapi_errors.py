"""Errors in the OpenAPI document: the table that answers them, told."""

from typing import Any

from adapters.inbound.http.errors import TABLE

_REFERENCE = {"$ref": "#/components/schemas/Error"}
_ANTHROPIC_REFERENCE = {"$ref": "#/components/schemas/AnthropicError"}
_ADMIN_CODES = frozenset(
    {
        "invalid_json",
        "invalid_request",
        "invalid_api_key",
        "forbidden",
        "not_found",
        "instance_not_found",
        "already_exists",
        "conflict",
        "in_use",
        "request_timeout",
        "request_too_large",
        "headers_too_large",
        "internal_error",
        "shutting_down",
        "state_unavailable",
    }
)
_ADMIN_ONLY = frozenset({"forbidden", "not_found", "instance_not_found", "already_exists", "conflict", "in_use"})
_UNROUTED = frozenset({"method_not_allowed"})

ERROR_SCHEMAS: dict[str, Any] = {
    "Error": {
        "title": "Error",
        "description": "What every error looks like. The header x-request-id goes with it.",
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"], "description": "The field that is wrong."},
                    "code": {
                        "type": "string",
                        "description": "A provider's own code may stand here as well.",
                        "examples": sorted({row.code for row in TABLE.values()}),
                    },
                },
            }
        },
    },
    "AnthropicError": {
        "title": "AnthropicError",
        "description": "The same at Anthropic's paths. The header request-id goes with it.",
        "type": "object",
        "required": ["type", "error", "request_id"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["type", "message", "code", "param"],
                "properties": {
                    "type": {"type": "string", "description": "Anthropic's name for the kind of error."},
                    "message": {"type": "string"},
                    "code": {"type": "string", "description": "As elsewhere."},
                    "param": {"type": ["string", "null"], "description": "The field that is wrong."},
                },
            },
            "request_id": {"type": "string"},
        },
    },
}


def error_responses(*, admin: bool, anthropic: bool = False) -> dict[str, Any]:
    """The errors that an endpoint answers with, by status, each with its codes."""
    codes: dict[int, set[str]] = {}
    for row in TABLE.values():
        if row.code not in _UNROUTED and (row.code in _ADMIN_CODES if admin else row.code not in _ADMIN_ONLY):
            codes.setdefault(row.status, set()).add(row.code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in sorted(found)),
            "content": {"application/json": {"schema": _ANTHROPIC_REFERENCE if anthropic else _REFERENCE}},
        }
        for status, found in sorted(codes.items())
    }

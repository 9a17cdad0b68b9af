"""What the gateway offers: as an OpenAPI document for programs, as a page for people. Both need no key."""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape
from typing import Any

from quart import Blueprint

from adapters.inbound.http.admin.route import AnyRoute
from adapters.inbound.http.exchange import Outgoing
from adapters.inbound.http.openapi import openapi_document

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "h2{margin:2rem 0 .5rem;font-size:1.1rem}table{border-collapse:collapse;width:100%}"
    "td{padding:.3rem .6rem;border-top:1px solid #d8dee4;vertical-align:top}code{font-size:.9rem}"
    "td:first-child{width:5rem}td:nth-child(2){width:26rem}"
)
# The one style that the page has is let in by its hash; nothing else is, from nowhere.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))
_PAGE = (("content-type", "text/html; charset=utf-8"), ("content-security-policy", _POLICY), *_SAFE)
_JSON = (("content-type", "application/json"), *_SAFE)


def docs_blueprint(routes: Sequence[AnyRoute], version: str) -> Blueprint:
    """`GET /openapi.json` and `GET /docs`. Made when first asked for: they say nothing of what is configured."""
    blueprint = Blueprint("docs", __name__)

    @cache
    def made() -> tuple[bytes, bytes]:
        document = openapi_document(routes, version)
        return json.dumps(document).encode(), _page(document).encode()

    async def openapi() -> Outgoing:
        return Outgoing(200, _JSON, made()[0])

    async def docs() -> Outgoing:
        return Outgoing(200, _PAGE, made()[1])

    blueprint.add_url_rule("/openapi.json", "openapi", openapi, methods=["GET"])
    blueprint.add_url_rule("/docs", "docs", docs, methods=["GET"])
    return blueprint


def _page(document: dict[str, Any]) -> str:
    sections: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            sections.setdefault(operation["tags"][0], []).append(_row(method, path, operation))
    tables = "".join(f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>" for tag, rows in sections.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Moongate API</title>'
        f"<style>{_STYLE}</style></head><body><h1>Moongate {escape(document['info']['version'])}</h1>"
        '<p>The whole description, with all fields: <a href="/openapi.json"><code>/openapi.json</code></a>.</p>'
        f"{tables}</body></html>"
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    permission = operation.get("x-permission")
    told = escape(operation["summary"]) + (f" <code>{escape(permission)}</code>" if permission else "")
    return f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{told}</td></tr>"

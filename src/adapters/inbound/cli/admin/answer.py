"""Asking a gateway, and printing what it says in the form that was wished for."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import click

from adapters.inbound.cli.admin.call import Connection
from adapters.inbound.cli.admin.naming import lists
from adapters.inbound.cli.admin.output import as_json, as_lines, as_table
from adapters.inbound.cli.admin.pages import all_pages
from adapters.inbound.cli.admin.request import AdminRequest
from adapters.inbound.http.admin.route import AnyRoute

CSV = "text/csv"
_SECRET = "key"  # noqa: S105 - the name of a field


class Form(Enum):
    """How an answer is printed."""

    TEXT = auto()
    JSON = auto()
    CSV = auto()


def show(route: AnyRoute, connection: Connection, request: AdminRequest, form: Form, *, every: bool) -> None:
    """Asks and prints; with `every`, all pages. Raises CommandFailed."""
    if form is Form.CSV:
        click.echo(connection.ask(request, accept=CSV).content, nl=False)
        return
    document = all_pages(connection, request) if every else connection.document(request)
    if form is Form.JSON:
        click.echo(as_json(document))
    else:
        _print(route, document)
    if gives_a_secret(route):
        click.echo("The key is shown this once: keep it now.", err=True)


def gives_a_secret(route: AnyRoute) -> bool:
    """Whether the answer holds a new key."""
    return route.permission.changes and route.response is not None and _SECRET in route.response.model_fields


def _print(route: AnyRoute, document: Any) -> None:
    if document is None:
        click.echo("Done.")
    elif route.response is not None and lists(route):
        _print_list(document, as_table(route.response, document.get("data", ())))
    else:
        click.echo(as_lines(document))


def _print_list(document: Mapping[str, Any], text: str) -> None:
    if text:
        click.echo(text)
    else:
        click.echo("None found.", err=True)
    if after := document.get("next"):
        click.echo(f"There is more: --after '{after}', or --all.", err=True)

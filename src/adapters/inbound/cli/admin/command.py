"""One route of the admin API as a command."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import click

from adapters.inbound.cli.admin.access import Access, access
from adapters.inbound.cli.admin.answer import CSV, Form, show
from adapters.inbound.cli.admin.call import Connection
from adapters.inbound.cli.admin.connection_options import NAMES, connection_options, wanted
from adapters.inbound.cli.admin.naming import Named, lists
from adapters.inbound.cli.admin.options import RouteOptions, Values, options_of
from adapters.inbound.cli.admin.pages import AFTER
from adapters.inbound.cli.admin.request import AdminRequest, WrongArguments, admin_request
from adapters.inbound.cli.admin.surroundings import Surroundings

Connect = Callable[[Access], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Outside:
    """What commands need beside their route: what is known here, and how a gateway is reached."""

    around: Surroundings
    connect: Connect


class AdminCommand(click.Command):
    """Its help tells what is asked apart from where."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two lists."""
        for title, of_connection in (("Options", False), ("Where and as whom", True)):
            found = [one for one in self.get_params(ctx) if (one.name in NAMES) is of_connection]
            records = [record for one in found if (record := one.get_help_record(ctx)) is not None]
            with formatter.section(title):
                formatter.write_dl(records)


def command_of(named: Named, outside: Outside) -> click.Command:
    """The command that sends a route's requests."""
    route, options = named.route, options_of(named.route)

    def run(**values: Any) -> None:
        form, every = _form(values), bool(values.get("every"))
        request = _request(options, values, form)
        found = access(wanted(click.get_current_context()), outside.around)
        with outside.connect(found) as connection:
            show(route, connection, request, form, every=every)

    return AdminCommand(
        named.verb,
        params=[*options.parameters(), *_outputs(options), *connection_options(outside.around.default_data_dir)],
        callback=run,
        help=f"{route.summary}.",
        short_help=f"{route.summary}.",
    )


def _form(values: Values) -> Form:
    wishes = [name for name in ("csv", "json", "every") if values.get(name)]
    match wishes:
        case ["csv"]:
            return Form.CSV
        case ["csv", *_]:
            raise click.UsageError("--csv stands alone: without --json and --all.")
        case _:
            return Form.JSON if "json" in wishes else Form.TEXT


def _request(options: RouteOptions, values: Values, form: Form) -> AdminRequest:
    try:
        query = options.asked(values, csv=form is Form.CSV)
        return admin_request(options.route, options.ids(values), query, options.told(values))
    except WrongArguments as error:
        fields = {field.name: field.option for field in (*options.query, *options.body)}
        raise click.UsageError(fields.get(error.param, error.param) + str(error).removeprefix(error.param)) from error


def _outputs(options: RouteOptions) -> list[click.Parameter]:
    route = options.route
    found: list[click.Parameter] = []
    if lists(route) and any(field.name == AFTER for field in options.query):
        found.append(click.Option(["--all", "every"], is_flag=True, help="All pages."))
    if route.response is not None:
        found.append(click.Option(["--json"], is_flag=True, help="The whole answer, as JSON."))
    if route.media == CSV:
        found.append(click.Option(["--csv"], is_flag=True, help="As CSV."))
    return found

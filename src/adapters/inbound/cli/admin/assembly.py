"""The declared table as commands that reach real gateways."""

from collections.abc import Iterable, Mapping

import click

from adapters.inbound.cli.admin.call import connection
from adapters.inbound.cli.admin.command import Outside
from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.cli.admin.groups import resource_groups
from adapters.inbound.cli.admin.naming import named
from adapters.inbound.cli.admin.surroundings import Surroundings


def gateway_commands(around: Surroundings, taken: Iterable[str]) -> Mapping[str, click.Command]:
    """A group for each resource, by names that are not taken."""
    return resource_groups(named(declared_routes()), taken, Outside(around, connection))

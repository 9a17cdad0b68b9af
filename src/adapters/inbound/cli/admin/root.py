"""The whole command line: commands of this machine, and those that ask a running gateway."""

from collections.abc import Mapping
from typing import Any

import click

from adapters.inbound.cli.admin.surroundings import Surroundings
from adapters.inbound.cli.one_line_errors import OneLineErrors


class WithGatewayCommands(OneLineErrors):
    """Commands of its own, and behind them one group for each resource of the admin API.

    The latter are made when somebody looks for them: `serve` starts without.
    """

    def __init__(self, *args: Any, around: Surroundings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._around = around
        self._asking: Mapping[str, click.Command] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them."""
        return [*super().list_commands(ctx), *self._of_the_gateway()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        return super().get_command(ctx, cmd_name) or self._of_the_gateway().get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Two lists."""
        for title, found in (("Commands", self.commands), ("Ask a running gateway", self._of_the_gateway())):
            longest = max((len(name) for name in found), default=0)
            room = formatter.width - 6 - longest
            with formatter.section(title):
                formatter.write_dl([(name, found[name].get_short_help_str(room)) for name in sorted(found)])

    def _of_the_gateway(self) -> Mapping[str, click.Command]:
        if self._asking is None:
            from adapters.inbound.cli.admin.assembly import gateway_commands  # noqa: PLC0415 - half a second of schemas

            self._asking = gateway_commands(self._around, taken=self.commands)
        return self._asking

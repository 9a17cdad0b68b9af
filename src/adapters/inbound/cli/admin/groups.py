"""The commands of the admin API, in groups, beside those that ask no gateway."""

from collections.abc import Iterable, Sequence

import click

from adapters.inbound.cli.admin.command import Outside, command_of
from adapters.inbound.cli.admin.naming import Named

_DEFAULTS = ("list", "show")
_HELP = ("-h", "--help")


class ResourceGroup(click.Group):
    """What can be done with one resource. Commands are made when they are looked at.

    By itself it lists, where that needs to know no more: `moongate usage --group-by day`.
    """

    def __init__(self, words: tuple[str, ...], members: Iterable[Named], outside: Outside, name: str) -> None:
        depth = len(words)
        inside = [each for each in members if each.groups[:depth] == words]
        self._words = words
        self._inside = inside
        self._outside = outside
        self._own = {each.verb: each for each in inside if each.groups == words}
        self._subgroups = sorted({each.groups[depth] for each in inside if len(each.groups) > depth})
        self._default = next((one for one in _DEFAULTS if one in self._own and not self._own[one].route.parameters), "")
        told = f"{words[-1].replace('-', ' ').capitalize()}: {', '.join(self._names())}."
        alone = f"\n\nWithout a command: {self._default}." if self._default else ""
        super().__init__(name, help=told + alone, short_help=told)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of the table."""
        return self._names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """By its name, or by the regular one."""
        if cmd_name in self._subgroups:
            return ResourceGroup((*self._words, cmd_name), self._inside, self._outside, cmd_name)
        named = self._own.get(cmd_name) or next((each for each in self._own.values() if each.also == cmd_name), None)
        return None if named is None else command_of(named, self._outside)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With the default in its place."""
        if self._default and (not args or (args[0].startswith("-") and args[0] not in _HELP)):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def _names(self) -> list[str]:
        return [*self._own, *self._subgroups]


def resource_groups(table: Sequence[Named], taken: Iterable[str], outside: Outside) -> dict[str, ResourceGroup]:
    """A group for each resource by its name, or by `live-` and that where another command has it."""
    words = sorted({each.groups[0] for each in table})
    names = {word: f"live-{word}" if word in set(taken) else word for word in words}
    return {name: ResourceGroup((word,), table, outside, name) for word, name in names.items()}

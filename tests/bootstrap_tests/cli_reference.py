"""The table of commands in docs/cli.md. `python -m tests.bootstrap_tests.cli_reference` writes it anew."""

from pathlib import Path

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.cli.admin.naming import Named, named
from bootstrap.cli import cli

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
_START, _END = "<!-- made from the route table: start -->\n", "<!-- made from the route table: end -->\n"


def reference() -> str:
    """A row for each route, in the order of the names of its command."""
    rows = sorted(((_command(each), each) for each in named(declared_routes())), key=lambda row: row[0])
    head = "| command | does | asks |\n| --- | --- | --- |\n"
    return head + "".join(
        f"| `{command}` | {each.route.summary} | `{each.route.method} {each.route.template}` |\n"
        for command, each in rows
    )


def in_the_document() -> str:
    """What stands there now."""
    return DOCUMENT.read_text(encoding="utf-8").partition(_START)[2].partition(_END)[0]


def write() -> None:
    """The document, with this table in it."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_START)
    after = rest.partition(_END)[2]
    DOCUMENT.write_text(f"{before}{_START}{reference()}{_END}{after}", encoding="utf-8")


def _command(each: Named) -> str:
    first = f"live-{each.groups[0]}" if each.groups[0] in cli.commands else each.groups[0]
    return " ".join((first, *each.words[1:], *(name.upper() for name in each.route.parameters)))


if __name__ == "__main__":
    write()

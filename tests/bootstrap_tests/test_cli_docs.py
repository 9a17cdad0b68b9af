"""docs/cli.md says what there is, and its examples are commands."""

import re
import shlex

import pytest
from click.testing import CliRunner

from bootstrap.cli import cli
from tests.bootstrap_tests.cli_reference import DOCUMENT, in_the_document, reference

TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^moongate (.+)$", "".join(re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)), re.MULTILINE
)


def test_the_document_has_the_commands_that_there_are() -> None:
    assert in_the_document() == reference(), "python -m tests.bootstrap_tests.cli_reference writes the table anew"


def test_every_command_of_this_machine_is_told() -> None:
    assert [name for name in cli.commands if f"| `{name}" not in TEXT] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_understood(example: str) -> None:
    # Nobody listens there: what is wrong with an example is told before that is found out, with status 2.
    words = shlex.split(example, comments=True)
    environ = {"MOONGATE_URL": "http://127.0.0.1:1", "MOONGATE_ADMIN_KEY": "mg_x"}

    result = CliRunner().invoke(cli, words, env=environ)

    assert (result.exit_code, result.stdout) == (1, ""), result.stderr
    assert result.stderr.startswith("no gateway answers at http://127.0.0.1:1 (")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 10

"""The failure table of docs/operations.md, compared with the one that decides."""

import re
from pathlib import Path

import pytest

from domain.failure import VERDICTS, Blame, FailureKind

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
SPANS = {1_000_000: "1 s where", 300_000_000: "5 min", 600_000_000: "10 min", 0: ""}


def rows() -> dict[str, list[str]]:
    """The cells behind each kind of failure."""
    table = DOCUMENT.read_text(encoding="utf-8").partition("| kind, as in traces |")[2].partition("\n\n")[0]
    return {
        row[1]: [cell.strip() for cell in row[2].split("|")]
        for row in re.finditer(r"^\| `(\w+)` \|(.*)\|$", table, re.MULTILINE)
    }


def test_every_kind_of_failure_is_in_the_table() -> None:
    assert list(rows()) == [kind.value for kind in FailureKind]


@pytest.mark.parametrize("kind", FailureKind)
def test_the_table_says_what_follows_from_a_failure(kind: FailureKind) -> None:
    verdict = VERDICTS[kind]
    _, again, counted, rest = rows()[kind.value]
    assert again.startswith("yes") is verdict.retry
    assert (counted == "yes") is (verdict.blame is Blame.FAILURE)
    assert SPANS[verdict.cooldown_us] in rest
    assert bool(rest) is (verdict.cooldown is not None)

"""Each decision record has the same shape, and its confirmation names something that exists."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, pyproject, shown

RECORDS = sorted((ROOT / "docs/adr").glob("*.md"))
SECTIONS = [
    "## Context and problem statement",
    "## Considered options",
    "## Decision outcome",
    "### Consequences",
    "### Confirmation",
]
WORDS = range(150, 301)
PACKAGING = ROOT / "docs/adr/0003-packaging-and-dependencies.md"

_PATH = re.compile(r"`((?:tests|src|docs|bench|lua|requirements|\.ci)/[\w./-]+|Makefile|pyproject\.toml)`")


def section(text: str, heading: str) -> str:
    return re.split(r"^#{2,3} ", text.partition(f"{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0].strip()


def faults(text: str, number: int) -> list[str]:
    """What is missing or out of place; a record without faults gives none."""
    context, options, outcome, consequences, confirmation = (section(text, heading) for heading in SECTIONS)
    checks = {
        "title": re.match(rf"# {number}\. \S", text) is not None,
        "status": re.search(r"^Status: (accepted|superseded by \d{4})", text, re.MULTILINE) is not None,
        "sections": re.findall(r"^#{2,3} .*$", text, re.MULTILINE) == SECTIONS,
        "context is a question": "?" in context,
        "options": options.count("\n* ") >= 1 and options.startswith("* "),
        "outcome says because": outcome.startswith("Chosen: ") and "because" in outcome,
        "consequences": "* Good: " in consequences and "* Bad: " in consequences,
        "confirmation": confirmation != "",
        "length": len(text.split()) in WORDS,
    }
    return [name for name, holds in checks.items() if not holds]


def paths_in(confirmation: str) -> list[str]:
    return _PATH.findall(confirmation)


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_record_follows_the_template(record: Path) -> None:
    assert faults(record.read_text(encoding="utf-8"), int(record.name[:4])) == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_record_is_confirmed_by_what_exists(record: Path) -> None:
    named = paths_in(section(record.read_text(encoding="utf-8"), "### Confirmation"))
    assert named != []
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_records_are_numbered_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_records_are_all_listed_in_the_index_of_decisions() -> None:
    index = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert [shown(record) for record in RECORDS if f"adr/{record.name}" not in index] == []


def test_each_dependency_has_a_line_of_why() -> None:
    project, groups = pyproject()["project"], pyproject()["dependency-groups"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["testing"]]
    wanted += [requirement for group in groups.values() for requirement in group]
    names = sorted({re.split(r"[^\w-]", requirement)[0] for requirement in wanted})
    text = PACKAGING.read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def _record(**changed: str) -> str:
    parts = {
        "title": "# 7. Tea is served",
        "context": "Which one?",
        "options": "* green\n* black",
        "outcome": "Chosen: green, because it is.",
        "consequences": "* Good: warm.\n* Bad: hot.",
        "confirmation": "`tests/architecture` " + "word " * 150,
    } | changed
    bodies = [parts[name] for name in ("context", "options", "outcome", "consequences", "confirmation")]
    sections = [f"{heading}\n\n{body}\n" for heading, body in zip(SECTIONS, bodies, strict=True)]
    return "\n".join([parts["title"], "", "Status: accepted", "", *sections])


def test_a_record_in_order_has_no_faults() -> None:
    assert faults(_record(), 7) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"title": "# 8. Tea"}, "title"),
        ({"context": "Tea."}, "context is a question"),
        ({"options": "* only one"}, "options"),
        ({"outcome": "Chosen: green."}, "outcome says because"),
        ({"consequences": "* Good: warm."}, "consequences"),
        ({"confirmation": "short"}, "length"),
        ({"confirmation": "word " * 400}, "length"),
    ],
)
def test_a_fault_in_a_record_is_seen(changed: dict[str, str], fault: str) -> None:
    assert faults(_record(**changed), 7) == [fault]


def test_paths_of_a_confirmation_are_found() -> None:
    assert paths_in("`tests/unit/routing` and `make lint`, `Makefile`") == ["tests/unit/routing", "Makefile"]

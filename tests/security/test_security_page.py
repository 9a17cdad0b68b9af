"""docs/security.md names tests that exist, and says of every attack what is done about it."""

import ast
import re

import pytest

from tests.architecture.source_tree import ROOT, parsed

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_TEST = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")
_ATTACK = re.compile(r"\b(?:CVE-\d{4}-\d+|GHSA-[\w-]+|PYSEC-\d{4}-\d+|GO-\d{4}-\d+)\b")


def missing(text: str) -> list[str]:
    """Tests that are named there and are nowhere."""
    found = []
    for path, name in _TEST.findall(text):
        place = ROOT / path
        if not place.exists() or (name and name not in functions_of(path)):
            found.append(f"{path}::{name}" if name else path)
    return found


def functions_of(path: str) -> set[str]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.walk(parsed(ROOT / path)) if isinstance(node, functions)}


def rows_of_attacks() -> list[str]:
    return [line for line in PAGE.splitlines() if line.startswith("| ") and _ATTACK.search(line.split("|")[1])]


def test_each_test_that_the_page_names_exists() -> None:
    assert missing(PAGE) == []
    assert len(_TEST.findall(PAGE)) > 30


@pytest.mark.parametrize("row", rows_of_attacks(), ids=lambda row: row.split("|")[1].strip()[:60])
def test_each_attack_has_a_test_or_a_reason_why_there_is_none(row: str) -> None:
    answer = row.split("|")[3]

    assert _TEST.search(answer) or answer.strip().startswith("Does not apply:")


def test_each_attack_that_a_test_names_stands_on_the_page() -> None:
    told = {name for path in (ROOT / "tests").rglob("test_*.py") for name in _ATTACK.findall(path.read_text("utf-8"))}

    assert told - set(_ATTACK.findall(PAGE)) == set()
    assert len(told) > 20


@pytest.mark.parametrize(
    "text", ["`tests/security/test_nowhere.py`", "`tests/security/test_security_page.py::test_of_nothing`"]
)
def test_name_of_no_test_is_seen(text: str) -> None:
    assert missing(text) == [text.strip("`")]
    assert missing("`tests/security/test_security_page.py::test_name_of_no_test_is_seen`") == []

"""Time and chance enter through two ports; elsewhere they are arguments, so that tests can hold them still."""

import ast

import pytest

from tests.architecture.source_tree import SRC, modules_under, parsed, shown
from tests.architecture.test_imports import imported_modules

MAY_ASK_THE_SYSTEM = (
    "src/adapters/outbound/system/",
    "src/adapters/testing/doubles.py",  # chance from a seed
    "src/bootstrap/data_directory.py",  # a key that must be secret
)

_MODULES = {"random", "secrets", "time", "uuid"}
_CALLS = {
    ("date", "today"),
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("os", "getrandom"),
    ("os", "urandom"),
}


def questions_to_the_system(tree: ast.AST) -> list[str]:
    found = [f"{line}: import {name}" for line, name in imported_modules(tree) if name.split(".")[0] in _MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in _CALLS:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.lineno}: {alias.name}" for alias in node.names if (node.module, alias.name) in _CALLS]
    return found


def _last_name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def test_only_the_system_adapters_read_clock_and_chance() -> None:
    outside = [path for path in modules_under(SRC) if not shown(path).startswith(MAY_ASK_THE_SYSTEM)]
    found = {shown(path): questions_to_the_system(parsed(path)) for path in outside}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic_ns",
        "import random",
        "from uuid import uuid4",
        "import secrets",
        "datetime.now()",
        "datetime.datetime.now(tz=UTC)",
        "datetime.utcnow()",
        "date.today()",
        "os.urandom(16)",
        "from os import urandom",
        "make(key=os.urandom)",
    ],
)
def test_a_question_to_the_system_is_seen(source: str) -> None:
    assert len(questions_to_the_system(ast.parse(source))) == 1


@pytest.mark.parametrize("source", ["clock.now_us()", "from datetime import timedelta", "event.time"])
def test_what_only_looks_like_one_is_not(source: str) -> None:
    assert questions_to_the_system(ast.parse(source)) == []

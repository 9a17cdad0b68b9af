"""What the inner layers may import, as a list of what is allowed: a list of what is forbidden never ends."""

import ast
import sys

import pytest

from tests.architecture.source_tree import SRC, modules_under, parsed, shown

DOMAIN_MAY_IMPORT = {
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fractions",
    "functools",
    "graphlib",
    "hashlib",
    "heapq",
    "hmac",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "zlib",
    "zoneinfo",
}


def imported_modules(tree: ast.AST) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, "." * node.level + (node.module or "")))
    return found


def imports_beyond(tree: ast.AST, allowed: set[str] | frozenset[str]) -> list[str]:
    return [f"{line}: {name}" for line, name in imported_modules(tree) if name.split(".")[0] not in allowed]


def awaits(tree: ast.AST) -> list[str]:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    return [f"{node.lineno}: {type(node).__name__}" for node in ast.walk(tree) if isinstance(node, waiting)]


def test_domain_imports_only_an_allowed_part_of_the_standard_library() -> None:
    allowed = DOMAIN_MAY_IMPORT | {"domain"}
    found = {shown(path): imports_beyond(parsed(path), allowed) for path in modules_under(SRC / "domain")}
    assert {path: names for path, names in found.items() if names} == {}


def test_domain_never_waits() -> None:
    found = {shown(path): awaits(parsed(path)) for path in modules_under(SRC / "domain")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_application_imports_only_the_standard_library_and_the_domain() -> None:
    allowed = sys.stdlib_module_names | {"domain", "application"}
    found = {shown(path): imports_beyond(parsed(path), allowed) for path in modules_under(SRC / "application")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import collections, socket",
        "from time import monotonic",
        "from . import money",
        "def f():\n    import quart",
        "if TYPE_CHECKING:\n    from application import errors",
    ],
)
def test_an_import_beyond_the_allowed_ones_is_seen(source: str) -> None:
    assert len(imports_beyond(ast.parse(source), DOMAIN_MAY_IMPORT | {"domain"})) == 1


@pytest.mark.parametrize("source", ["async def f(): ...", "async def f():\n    await g()"])
def test_waiting_is_seen(source: str) -> None:
    assert awaits(ast.parse(source)) != []

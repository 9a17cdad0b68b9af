"""Small enough to be read at once."""

import ast
import re

import pytest

from tests.architecture.source_tree import SRC, modules_under, parsed, shown

FILE_LINES = 250
FUNCTION_LINES = 40
EMPTY_NAMES = re.compile(r"(Manager|Helper|Utils?|Base|Impl)$")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(function: Function) -> int:
    """From `def` to the end, without the docstring: saying more must not cost anything."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    said = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


def functions_in(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def empty_names_in(tree: ast.AST) -> list[str]:
    return [n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and EMPTY_NAMES.search(n.name)]


def test_no_file_is_longer_than_250_lines() -> None:
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules_under(SRC)}
    assert {path: size for path, size in sizes.items() if size > FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    sizes = {
        f"{shown(path)}:{function.lineno} {function.name}": lines_of(function)
        for path in modules_under(SRC)
        for function in functions_in(parsed(path))
    }
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES} == {}


def test_no_class_has_a_name_that_says_nothing() -> None:
    found = {shown(path): empty_names_in(parsed(path)) for path in modules_under(SRC)}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_function_is_measured_from_def_to_end_without_its_docstring() -> None:
    source = '@decorated\nasync def f(\n    a,\n):\n    """One.\n\n    Two.\n    """\n    b = a\n    return b\n'
    assert [lines_of(function) for function in functions_in(ast.parse(source))] == [5]


@pytest.mark.parametrize("name", ["KeyManager", "TimeUtils", "ProviderBase", "ClockImpl", "UrlHelper"])
def test_a_name_that_says_nothing_is_seen(name: str) -> None:
    assert empty_names_in(ast.parse(f"class {name}: ...")) == [name]

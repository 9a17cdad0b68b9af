"""Ports are small protocols of domain types, and adapters say which of them they keep to."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source_tree import SRC, modules_under, parsed, shown
from tests.architecture.test_imports import imports_beyond

PORTS = SRC / "application/ports"
ADAPTERS = SRC / "adapters"
PORT_LINES = 60
# Any asynchronous iterator has these, so that they tell nothing of a port.
EVERYBODYS_METHODS = {"__aiter__", "__anext__", "aclose"}
PORTS_MAY_IMPORT = {"application", "collections", "contextlib", "dataclasses", "domain", "enum", "typing"}


def classes_of(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def methods_of(class_: ast.ClassDef) -> frozenset[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in class_.body if isinstance(node, functions))


def is_protocol(class_: ast.ClassDef) -> bool:
    return any(ast.unparse(parent).split("[")[0] in {"Protocol", "typing.Protocol"} for parent in class_.bases)


def protocols() -> dict[str, frozenset[str]]:
    found = [class_ for path in modules_under(PORTS) for class_ in classes_of(parsed(path)) if is_protocol(class_)]
    return {class_.name: methods_of(class_) for class_ in found}


def promises_of(tree: ast.Module) -> set[tuple[str, str]]:
    """(port, class) of each `_conforms…: type[Port] = Class` that the module ends with."""
    found: set[tuple[str, str]] = set()
    for node in reversed(tree.body):
        match node:
            case ast.AnnAssign(
                target=ast.Name(id=name),
                annotation=ast.Subscript(value=ast.Name(id="type"), slice=ast.Name(id=port)),
                value=ast.Name(id=class_),
            ) if name.startswith("_conforms"):
                found.add((port, class_))
            case _:
                break
    return found


def broken_promises(tree: ast.Module, ports: dict[str, frozenset[str]]) -> list[str]:
    """Classes that have every method of a port, in a module that does not end by saying so."""
    promised = promises_of(tree)
    return [
        f"{class_.name} looks like a {port}: end the module with `_conforms: type[{port}] = {class_.name}`"
        for class_ in classes_of(tree)
        for port, methods in ports.items()
        if methods - EVERYBODYS_METHODS
        and methods <= methods_of(class_)
        and (port, class_.name) not in promised
        and not is_protocol(class_)
    ]


def _holds_a_class(folder: Path) -> bool:
    return any(classes_of(parsed(path)) for path in modules_under(folder))


def test_ports_are_at_most_sixty_lines() -> None:
    sizes = {
        f"{shown(path)}: {class_.name}": (class_.end_lineno or 0) - class_.lineno + 1
        for path in modules_under(PORTS)
        for class_ in classes_of(parsed(path))
    }
    assert {name: size for name, size in sizes.items() if size > PORT_LINES} == {}


def test_ports_speak_in_domain_types() -> None:
    found = {shown(path): imports_beyond(parsed(path), PORTS_MAY_IMPORT) for path in modules_under(PORTS)}
    assert {path: names for path, names in found.items() if names} == {}


def test_ports_and_their_methods_say_what_the_signature_cannot() -> None:
    silent = [
        f"{shown(path)}: {node.name}"
        for path in modules_under(PORTS)
        for class_ in classes_of(parsed(path))
        for node in (class_, *class_.body)
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and not node.name.startswith("__")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


def test_each_adapter_of_a_port_says_so_in_its_last_lines() -> None:
    ports = protocols()
    found = {shown(path): broken_promises(parsed(path), ports) for path in modules_under(ADAPTERS / "outbound")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_each_port_has_an_adapter() -> None:
    if not all(_holds_a_class(ADAPTERS / "outbound" / name) for name in ("memory", "providers", "system")):
        return  # a tree that is still being laid out
    kept = {port for path in modules_under(ADAPTERS) for port, _ in promises_of(parsed(path))}
    assert sorted(protocols().keys() - kept) == []


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "_conforms: type[Clock] = OtherClock",
        "_conforms: type[Timer] = SystemClock",
        "conforms: type[Clock] = SystemClock",
        "_conforms = SystemClock",
        "_conforms: type[Clock] = SystemClock\nclass Later: ...",
    ],
)
def test_a_module_that_does_not_end_with_its_promise_is_seen(ending: str) -> None:
    source = f"class SystemClock:\n    def now_us(self): ...\n    def more(self): ...\n{ending}"
    assert len(broken_promises(ast.parse(source), {"Clock": frozenset({"now_us"})})) == 1


def test_a_module_that_ends_with_its_promises_is_accepted() -> None:
    source = (
        "class Both:\n    def a(self): ...\n    async def b(self): ...\n"
        "_conforms_a: type[A] = Both\n_conforms_b: type[B] = Both"
    )
    assert broken_promises(ast.parse(source), {"A": frozenset({"a"}), "B": frozenset({"b"})}) == []


def test_an_iterator_of_anything_is_taken_for_no_port() -> None:
    source = "class Lines:\n    def __aiter__(self): ...\n    async def __anext__(self): ..."
    assert broken_promises(ast.parse(source), {"ChunkStream": frozenset({"__aiter__", "__anext__"})}) == []

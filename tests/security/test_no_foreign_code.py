"""Nothing that somebody sends is ever run: the product has no place that could, and no route that is in no table.

CVE-2026-42271, CVE-2026-30623, CVE-2026-42203, CVE-2026-37004, CVE-2026-40217, CVE-2024-10188, GHSA-gppg-gqw8-wh9g,
GHSA-7ggm-4rjg-594w (LiteLLM: commands, templates, guards and settings from requests that were run) and CVE-2026-12795
(an endpoint for debugging that wanted no key).
"""

import ast
from collections.abc import Iterator

import pytest

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.http.admin.route import PREFIX
from tests.architecture.source_tree import SRC, modules_under, parsed, shown
from tests.integration.http.stubs import http_app

RUNNING = {"eval", "exec", "compile", "__import__", "execfile"}
MODULES = {"pickle", "marshal", "shelve", "dill", "subprocess", "multiprocessing", "runpy", "code", "ctypes", "pty"}
TEMPLATES = {"jinja2", "mako", "string.Template", "quart.templating"}
ATTRIBUTES = {
    *("os.system", "os.popen", "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
}
ANYWHERE = {"import_module", "render_template", "render_template_string"}
OWN_TABLES = {
    "src/adapters/inbound/cli/admin/declared.py": "the command line imports the modules of the admin API beside it",
}
OPEN = {"/health", "/ready", "/metrics", "/docs", "/openapi.json"}


def names_in(node: ast.AST) -> Iterator[str]:
    """What is imported or called there, by its written name."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Call(func=function):
            yield ast.unparse(function)


def runs_code(name: str) -> bool:
    first, last = name.partition(".")[0], name.rpartition(".")[2]
    return name in RUNNING | ATTRIBUTES | TEMPLATES or first in MODULES | TEMPLATES or last in ANYWHERE


def found_in(tree: ast.AST) -> list[str]:
    nodes = list(ast.walk(tree))
    return sorted({name for node in nodes for name in names_in(node) if runs_code(name)})


def test_no_module_of_the_product_can_run_what_it_is_sent() -> None:
    found = {shown(path): names for path in modules_under(SRC) if (names := found_in(parsed(path)))}

    assert found == {path: ["importlib.import_module"] for path in OWN_TABLES}


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "import subprocess",
        "from pickle import loads",
        "yaml.load(text)",
        "os.system(text)",
        "from jinja2 import Template",
        "await asyncio.create_subprocess_exec(text)",
        "await quart.render_template_string(text)",
        "importlib.import_module(text)",
    ],
)
def test_what_runs_code_is_seen(code: str) -> None:
    assert found_in(ast.parse(f"async def f(text):\n    {code}")) != []


def test_plain_names_that_resemble_are_not_taken_for_it() -> None:
    assert found_in(ast.parse("re.compile(x)\nyaml.safe_load(x)\nself.code(x)")) == []


ENDPOINTS = {
    *("/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/messages/count_tokens"),
    *("/moderations", "/rerank", "/images/generations", "/audio/transcriptions", "/audio/translations"),
    *("/audio/speech", "/models", "/models/<path:model>"),
}


def is_of_an_endpoint(rule: str) -> bool:
    path = rule.removeprefix("/openai/deployments/<path:deployment>").removeprefix("/openai").removeprefix("/v1")
    return path in ENDPOINTS


def test_the_application_has_no_route_that_no_table_declares() -> None:
    """A path for debugging, or one that a library brings along, would stand here."""
    rules = [rule.rule for rule in http_app().url_map.iter_rules()]
    admin = {PREFIX + route.rule for route in declared_routes()}

    strangers = {rule for rule in rules if rule not in OPEN and rule not in admin and not is_of_an_endpoint(rule)}

    assert strangers == set()
    assert set(rules) >= OPEN

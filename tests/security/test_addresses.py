"""Who names the addresses that the gateway calls: its configuration alone. What clients and administrators say is no
address anywhere, so that there is nothing to filter.

CVE-2024-6587, CVE-2025-66405, CVE-2026-110719, CVE-2026-55245, CVE-2026-15508, CVE-2026-108719, CVE-2026-19889,
CVE-2026-75871, CVE-2026-25960, GO-2025-4154, GO-2026-5652: addresses from requests, from metadata and from an API.
That no provider's answer leads elsewhere, and that no header, field or picture does, tests/e2e/matrix shows.
"""

import ast
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.outbound.providers.addresses import refuse_unusable
from tests.architecture.source_tree import SRC, modules_under, parsed, shown

CLIENTS = {"aiohttp", "requests", "urllib.request", "urllib3", "http.client", "httpx", "socket", "ftplib"}
MAY_CONNECT = {
    "src/adapters/outbound/providers": "calls what the configuration names",
    "src/adapters/outbound/redis": "the configured Redis",
    "src/adapters/outbound/telemetry": "the configured collector",
    "src/adapters/inbound/cli": "the command line, which asks the gateway that its user names",
    "src/bootstrap": "makes the connections that the others use, and listens",
}
WORDS = ("url", "uri", "host", "endpoint", "address", "base", "proxy", "callback", "webhook", "file", "path", "command")
REQUESTS = sorted({route.request for route in declared_routes()}, key=lambda model: model.__name__)


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """The names of all fields, of those inside others, too."""
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from fields_of(part)


def imports_of(tree: ast.AST) -> set[str]:
    """Modules that are imported for more than their types, as they are written."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("model", REQUESTS, ids=lambda model: model.__name__)
def test_no_administrator_can_name_an_address_a_file_or_a_command(model: type[BaseModel]) -> None:
    assert [name for name in fields_of(model) if any(word in name.split("_") for word in WORDS)] == []


def test_fields_inside_others_are_found() -> None:
    class Inner(BaseModel):
        base_url: str

    class Outer(BaseModel):
        inner: Inner | None

    assert list(fields_of(Outer)) == ["inner", "base_url"]
    assert len(REQUESTS) > 5


def test_only_those_connect_that_are_told_where_by_the_configuration() -> None:
    found = {shown(path) for path in modules_under(SRC) if imports_of(parsed(path)) & CLIENTS}

    strangers = {path for path in found if not path.startswith(tuple(MAY_CONNECT))}

    assert strangers == set()
    assert found != set()


@pytest.mark.parametrize(
    "base_url",
    [
        "file:///etc/passwd",
        "ftp://host/v1",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "unix:///run/docker.sock",
        "//host/v1",
        "host/v1",
        "http://",
        "http:///v1",
        "https://user:secret@host/v1",
        "http://trusted.example@169.254.169.254/latest",
        "",
    ],
)
def test_address_that_is_none_or_hides_another_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        refuse_unusable("custom", base_url, [])

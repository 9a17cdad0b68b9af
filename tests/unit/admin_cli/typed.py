"""Commands as somebody types them, and a gateway that notes what arrives."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx
from click.testing import CliRunner, Result
from pydantic import BaseModel

from adapters.inbound.cli.admin.access import Access
from adapters.inbound.cli.admin.call import connection
from adapters.inbound.cli.admin.command import Outside
from adapters.inbound.cli.admin.groups import resource_groups
from adapters.inbound.cli.admin.naming import named
from adapters.inbound.cli.admin.surroundings import Surroundings
from adapters.inbound.cli.one_line_errors import OneLineErrors
from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Schema
from domain.principal import Permission

URL = "http://gateway.test:8080"
KEY = "mg_of_the_environment"


class Empty(Schema):
    """Nothing."""


def route(method: Method, path: str, **other: Any) -> AnyRoute:
    """A route that nobody calls."""

    async def handler(_asked: Asked[Any, Any]) -> BaseModel:
        raise NotImplementedError

    permission = Permission.SEE_GATEWAY if method is Method.GET else Permission.CHANGE_GATEWAY
    declared = {"permission": permission, "summary": "Something", "handler": handler, "response": Empty}
    return Route(method=method, path=path, **{**declared, **other})


@dataclass
class SpyGateway:
    """Answers each request as it is told, and with an empty object at first."""

    answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json={})
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answer(request)

    @property
    def body(self) -> Any:
        """Of the only request."""
        (request,) = self.seen
        return json.loads(request.content) if request.content else {}


@dataclass
class Typist:
    """Types commands for a table of routes."""

    routes: Iterable[AnyRoute]
    gateway: SpyGateway = field(default_factory=SpyGateway)
    environ: Mapping[str, str] = field(default_factory=lambda: {"MOONGATE_ADMIN_KEY": KEY})
    taken: Iterable[str] = ()
    data_dir: Path = Path("nowhere")
    reached: list[Access] = field(default_factory=list)

    def __post_init__(self) -> None:
        around = Surroundings(self.environ, self._configured, lambda path: path / "master_key", self.data_dir)
        groups = resource_groups(named(self.routes), self.taken, Outside(around, self._connect))
        self.cli: click.Group = OneLineErrors(commands=dict(groups))

    def __call__(self, *words: str, environ: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(self.cli, list(words), env=environ)

    def _configured(self, path: Path | None) -> str:
        return URL if path is None else f"http://{path}.test"

    def _connect(self, access: Access) -> Any:
        self.reached.append(access)
        return connection(access, httpx.MockTransport(self.gateway))


def lines(result: Result) -> list[str]:
    """Of the output for people who read on."""
    return result.stdout.splitlines()


def failing(status: int, document: object) -> SpyGateway:
    """A gateway that refuses."""
    return SpyGateway(lambda _: httpx.Response(status, json=document))

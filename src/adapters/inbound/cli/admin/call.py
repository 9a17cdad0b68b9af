"""Requests to a running gateway."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from adapters.inbound.cli.admin.access import Access
from adapters.inbound.cli.admin.request import AdminRequest
from adapters.inbound.cli.one_line_errors import CommandFailed

_CONNECT_S = 5
_ANSWER_S = 60
_UNAUTHORIZED = 401
_FIRST_ERROR = 300
_SHOWN_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Connection:
    """A client of one gateway. No proxy of the environment ever sees a key."""

    access: Access
    client: httpx.Client

    def ask(self, request: AdminRequest, accept: str = "application/json") -> httpx.Response:
        """The answer to a request that succeeded.

        Raises:
            CommandFailed: With the gateway's message, or with why there is none.
        """
        headers = {"authorization": f"Bearer {self.access.key}", "accept": accept}
        if request.body is not None:
            headers["content-type"] = "application/json"
        query = f"?{urlencode(request.query)}" if request.query else ""
        url = f"{self.access.url}{request.path}{query}"
        try:
            answer = self.client.request(request.method, url, content=request.body, headers=headers)
        except httpx.ConnectError as error:
            line = f"no gateway answers at {self.access.url} ({error}); --url or MOONGATE_URL says where it is"
            raise CommandFailed([line]) from error
        except httpx.TimeoutException as error:
            late = "" if request.method == "GET" else "; what was asked may be done all the same"
            raise CommandFailed([f"{self.access.url} did not answer in time{late}"]) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CommandFailed([f"{self.access.url}: {error}"]) from error
        if answer.status_code >= _FIRST_ERROR:
            raise CommandFailed([self._message(answer)])
        return answer

    def document(self, request: AdminRequest) -> Any:
        """The JSON of the answer; None where there is none."""
        answer = self.ask(request)
        return _json_of(answer, self.access.url) if answer.content else None

    def _message(self, answer: httpx.Response) -> str:
        match _parsed(answer):
            case {"error": {"message": str() as message}}:
                said = _printable(message)
            case _:
                return f"{self.access.url} answered {answer.status_code}, and not as Moongate does"
        return f"{said} (the key is from {self.access.source})" if answer.status_code == _UNAUTHORIZED else said


@contextmanager
def connection(access: Access, transport: httpx.BaseTransport | None = None) -> Iterator[Connection]:
    """A connection that is closed in the end. A transport is for tests."""
    timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S)
    with httpx.Client(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False) as client:
        yield Connection(access, client)


def _json_of(answer: httpx.Response, url: str) -> Any:
    """Raises CommandFailed where it is no JSON."""
    found = _parsed(answer)
    if found is None:
        raise CommandFailed([f"{url} answered {answer.status_code} without JSON: is that a Moongate gateway?"])
    return found


def _parsed(answer: httpx.Response) -> Mapping[str, Any] | None:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text[:_SHOWN_CHARACTERS])

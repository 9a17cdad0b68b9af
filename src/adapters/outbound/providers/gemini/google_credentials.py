"""Access tokens by google-auth, which speaks over our own transport.

google-auth is written for threads: signing and parsing happen in one, and each of its requests is handed to the event
loop, where the gateway's transport makes it: TLS verified, no redirects, no proxy from the environment.
"""

import asyncio
import calendar
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.outbound.providers.gemini.access_token import AccessToken
from adapters.outbound.providers.reply_body import MAX_ERROR_BYTES, read_whole
from adapters.outbound.providers.transport import body_of
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind, ProviderFailed

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_REQUEST_S: Final = 10.0
_NEVER_US: Final = 1 << 62


class GoogleCredentials:
    """Fetches tokens of one credentials file, or of the machine's own credentials."""

    def __init__(self, credentials_file: str, transport: httpx.AsyncBaseTransport) -> None:
        """`credentials_file`: empty for the machine's own (Application Default Credentials)."""
        self._file = credentials_file
        self._transport = transport
        self._credentials: Any = None

    async def fetch(self) -> AccessToken:
        """A new token.

        Raises:
            ProviderFailed: CREDENTIAL_REFUSED where the credentials are no good, CONNECT where nobody could be asked.
        """
        request = _LoopRequest(self._transport, asyncio.get_running_loop())
        return await asyncio.to_thread(self._fetch, request)

    def _fetch(self, request: "_LoopRequest") -> AccessToken:
        # Lazy, for it is slow to import: a gateway without Vertex must not pay for it.
        from google.auth import exceptions  # noqa: PLC0415 - see above

        try:
            if self._credentials is None:
                self._credentials = _loaded(self._file, request)
            self._credentials.refresh(request)
        except exceptions.TransportError as error:
            raise ProviderFailed(Failure(FailureKind.CONNECT, "no answer from Google's token endpoint")) from error
        except exceptions.GoogleAuthError as error:
            self._credentials = None  # the file may have been exchanged
            if getattr(error, "retryable", False):
                message = "Google's token endpoint is out of order"
                raise ProviderFailed(Failure(FailureKind.CONNECT, message)) from error
            raise _refused("Google issues no token to the gateway's credentials") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _refused("the gateway's Google credentials can not be read") from error
        return _token(self._credentials)


class _Response:
    """What google-auth wants to know of a reply."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


class _LoopRequest:
    """google-auth's `transport.Request`: called in a thread, carried out by the loop."""

    def __init__(self, transport: httpx.AsyncBaseTransport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> _Response:
        """The reply, whatever its status. Raises google-auth's TransportError where there is none."""
        from google.auth.exceptions import TransportError  # noqa: PLC0415 - as above

        request = httpx.Request(method, url, headers=dict(headers or {}), content=body)
        sending = self._send(request, min(timeout or _REQUEST_S, _REQUEST_S))
        try:
            return asyncio.run_coroutine_threadsafe(sending, self._loop).result()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise TransportError("no answer") from error  # type: ignore[no-untyped-call]

    async def _send(self, request: httpx.Request, timeout_s: float) -> _Response:
        async with asyncio.timeout(timeout_s):
            response = await self._transport.handle_async_request(request)
            try:
                data = await read_whole(response, MAX_ERROR_BYTES)
            finally:
                await body_of(response).aclose()
        return _Response(response.status_code, response.headers, data or b"")


def _loaded(file: str, request: Any) -> Any:
    import google.auth  # noqa: PLC0415 - as above
    from google.oauth2 import credentials, service_account  # noqa: PLC0415 - as above

    if not file:
        return google.auth.default(scopes=_SCOPES, request=request)[0]
    info = json.loads(Path(file).read_text("utf-8"))
    match info.get("type"):
        case "service_account":
            return service_account.Credentials.from_service_account_info(info, scopes=_SCOPES)  # type: ignore[no-untyped-call]
        case "authorized_user":
            return credentials.Credentials.from_authorized_user_info(info, scopes=_SCOPES)  # type: ignore[no-untyped-call]
        case _:
            # Whoever is asked for a token by the other kinds stands in the file, too: google-auth takes them from the
            # machine's own configuration alone.
            raise ValueError("neither a service account's key nor a user's")


def _token(credentials: Any) -> AccessToken:
    if not isinstance(credentials.token, str) or not credentials.token:
        raise _refused("Google issues no token to the gateway's credentials")
    expiry = credentials.expiry  # in UTC, but without saying so
    expires_us = _NEVER_US if expiry is None else calendar.timegm(expiry.utctimetuple()) * SECOND_US
    return AccessToken(credentials.token, expires_us, getattr(credentials, "quota_project_id", None) or "")


def _refused(message: str) -> ProviderFailed:
    return ProviderFailed(Failure(FailureKind.CREDENTIAL_REFUSED, message, unsent=True))

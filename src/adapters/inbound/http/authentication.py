"""Who may pass: everyone on the open paths, callers with a valid credential everywhere else."""

from adapters.inbound.http.request_headers import RawHeaders, credential
from application.errors import NotAuthenticated
from application.ports.authenticator import Authenticator
from domain.callers import Caller

# Compared with the path exactly as it was sent: whatever is spelled otherwise needs a key.
OPEN_PATHS = frozenset({b"/health", b"/ready", b"/docs", b"/openapi.json", b"/metrics"})


async def authenticate(authenticator: Authenticator, raw_path: bytes, headers: RawHeaders) -> Caller | None:
    """The caller; None only where the path is open.

    Raises:
        NotAuthenticated: No valid credential. The message is the same for every cause.
    """
    if raw_path in OPEN_PATHS:
        return None
    caller = await authenticator.authenticate(credential(headers))
    if caller is None:
        raise NotAuthenticated("No valid API key: send one as 'Authorization: Bearer', 'x-api-key' or 'api-key'.")
    return caller

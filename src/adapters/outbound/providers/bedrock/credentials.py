"""The AWS keys that sign requests: given, or found on the machine by botocore."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from domain.failure import Failure, FailureKind, ProviderFailed

T = TypeVar("T")

# At DEBUG it writes what it signs and what it is answered: tokens and keys.
logging.getLogger("botocore").setLevel(logging.INFO)

_PATIENCE_S: Final = 15.0
# Within this span before they expire nobody signs with them any more; before that they are renewed at leisure.
_TOO_OLD_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Keys:
    """`token`: of a session; None for keys that stay."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Credentials(Protocol):
    """Where keys come from."""

    async def valid_keys(self) -> Keys:
        """Keys that are valid now.

        Raises:
            ProviderFailed: There are none.
        """
        ...

    def refused(self) -> None:
        """The last ones were not accepted."""
        ...


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """The keys of the configuration."""

    keys: Keys

    async def valid_keys(self) -> Keys:
        return self.keys

    def refused(self) -> None:
        """Changes nothing: there are no others."""


class MachineKeys:
    """What botocore finds: environment, files (also with roles and SSO), a container's or a machine's own role.

    Looked up in a thread of its own, once for all who wait, within a bounded time; kept until they are about to
    expire, or are refused. Those that still hold are used while they are renewed.
    """

    def __init__(
        self, profile: str = "", find: Callable[[str], Any] | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        """`profile`: of the AWS configuration; empty for the default chain. `find` returns botocore's credentials."""
        self._profile = profile
        self._find = find or _find
        self._patience_s = patience_s
        self._found: Any = None
        self._keys: Keys | None = None
        self._pending: asyncio.Task[Keys | Failure] | None = None

    async def valid_keys(self) -> Keys:
        keys = self._keys
        if keys is not None and not self._expires_within(None):
            return keys
        if self._pending is None:
            self._pending = asyncio.create_task(self._renewed())
        if keys is not None and not self._expires_within(_TOO_OLD_S):
            return keys
        # Another request may wait for the same: this one's end must not be the end of that.
        outcome = await asyncio.shield(self._pending)
        if isinstance(outcome, Failure):
            raise ProviderFailed(outcome)
        return outcome

    def refused(self) -> None:
        self._found = self._keys = None

    def _expires_within(self, span_s: float | None) -> bool:
        """None: within botocore's own advice. Compares times, and asks nobody."""
        is_due = getattr(self._found, "refresh_needed", None)
        return is_due is not None and bool(is_due(span_s))

    async def _renewed(self) -> Keys | Failure:
        try:
            async with asyncio.timeout(self._patience_s):
                self._found, keys = await _in_a_thread(self._look_up)
        except TimeoutError:
            return _failure(FailureKind.CONNECT, f"were not found within {self._patience_s:g} s")
        except _NoneThere:
            return _failure(
                FailureKind.CREDENTIAL_REFUSED, "are not on this machine: it has none where AWS looks for them"
            )
        except _LookupFailed as error:
            return _failure(FailureKind.CONNECT, f"could not be looked up ({error})")
        else:
            self._keys = keys
            return keys
        finally:
            self._pending = None

    def _look_up(self) -> tuple[Any, Keys]:
        found = self._found or self._find(self._profile)
        if found is None:
            raise _NoneThere
        frozen = found.get_frozen_credentials()
        if not frozen.access_key or not frozen.secret_key:
            raise _NoneThere
        return found, Keys(frozen.access_key, frozen.secret_key, frozen.token)


class _NoneThere(Exception):
    """There are no credentials."""


class _LookupFailed(Exception):
    """The way to the credentials failed; the text is the error's name alone."""


def _find(profile: str) -> Any:
    from botocore.exceptions import ProfileNotFound  # type: ignore[import-untyped]  # noqa: PLC0415 - only Bedrock needs it
    from botocore.session import Session  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    try:
        return Session(profile=profile or None).get_credentials()
    except ProfileNotFound as error:
        raise _NoneThere from error


def _failure(kind: FailureKind, what: str) -> Failure:
    return Failure(kind, f"the gateway's AWS credentials {what}", unsent=True)


def _in_a_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """What `work` returns or raises.

    In a daemon thread, not the loop's pool: one that hangs (a metadata service, a process that asks for a password)
    must hold up neither other work nor the end of the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(outcome: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(outcome)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        outcome: T | None = None
        failed: Exception | None = None
        try:
            outcome = work()
        except _NoneThere as error:
            failed = error
        except Exception as error:  # noqa: BLE001 - the thread's outermost handler; plug-ins may raise anything
            failed = _LookupFailed(type(error).__name__)
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, outcome, failed)

    threading.Thread(target=run, name="aws-credentials", daemon=True).start()
    return future


_given: type[Credentials] = GivenKeys
_machine: type[Credentials] = MachineKeys

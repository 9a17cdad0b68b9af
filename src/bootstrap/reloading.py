"""Reading the configuration again while requests are served."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from application.background import Background
from application.errors import Conflict
from application.ports.clock import Clock
from application.reloads import LastReload, Reload
from bootstrap.configuration_error import ConfigurationError
from bootstrap.reconfiguration import Candidate, Reconfiguration

_REFUSED = "the configuration is not reloaded, and nothing changes"

_log = logging.getLogger("moongate.config")


def tell_refusal(lines: Iterable[str]) -> None:
    """Logs why a configuration can't be taken over."""
    for line in lines:
        _log.error("%s: %s", _REFUSED, line)


class Reloading:
    """Reloads the configuration of this process, whole or not at all; one reload at a time.

    Args:
        read: Reads and checks everything. Takes its time, raises ConfigurationError, and changes nothing.
        ask_supervisor: For one of several workers: has all of them reload. None for a process on its own.
    """

    def __init__(
        self,
        read: Callable[[], Candidate],
        reconfiguration: Reconfiguration,
        last: LastReload,
        clock: Clock,
        ask_supervisor: Callable[[], None] | None = None,
    ) -> None:
        self._read = read
        self._reconfiguration = reconfiguration
        self._last = last
        self._clock = clock
        self._ask_supervisor = ask_supervisor
        self._turn = asyncio.Lock()
        self._is_due = False
        self._background = Background()

    def soon(self) -> None:
        """Reloads when it can. Asked again before it has begun, it does so once."""
        if not self._is_due:
            self._is_due = True
            self._background.do(self._in_turn())

    async def everywhere(self) -> tuple[Reload, bool]:
        """Reloads this process and all workers beside it; whether that is done already. Else they have been told.

        Raises:
            Conflict: The configuration can't be used. Nothing was changed.
        """
        async with self._turn:
            reload, candidate = await self._looked_at()
            if candidate is None:
                self._keep(reload)
                raise Conflict(f"{_REFUSED}: {'; '.join(reload.messages)}")
            if self._ask_supervisor is None:
                self._reconfiguration.apply(candidate)
                self._keep(reload)
                return reload, True
        self._ask_supervisor()
        return reload, False

    async def _in_turn(self) -> None:
        async with self._turn:
            self._is_due = False
            reload, candidate = await self._looked_at()
            if candidate is not None:
                self._reconfiguration.apply(candidate)
            self._keep(reload)

    async def _looked_at(self) -> tuple[Reload, Candidate | None]:
        self._last.begin()
        try:
            # A large file takes a while: streams flow meanwhile.
            candidate = await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            return Reload(self._clock.now_us(), error.lines), None
        taken = candidate.takeover
        return Reload(self._clock.now_us(), (), taken.changed, taken.needs_restart, candidate.warnings), candidate

    def _keep(self, reload: Reload) -> None:
        self._last.keep(reload)
        if not reload.ok:
            tell_refusal(reload.messages)
            return
        for warning in reload.warnings:
            _log.warning("configuration: %s", warning)
        if reload.needs_restart:
            _log.warning("configuration: needs a restart and stays as it was: %s", ", ".join(reload.needs_restart))
        _log.info("configuration reloaded; changed: %s", ", ".join(reload.changed) or "nothing")

"""Background work that must not end while requests are served."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from application.ports.clock import Clock
from domain.durations import SECOND_US

AGAIN_AFTER_US = SECOND_US

Work = Callable[[], Coroutine[Any, Any, None]]

_log = logging.getLogger(__name__)


async def keep_going(name: str, work: Work, clock: Clock) -> None:
    """Does `work` for ever, and begins it again a second after it failed; ends by cancellation.

    Whatever one bad answer does to it, the gateway goes on renewing, refreshing and announcing.
    """
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - nothing is above it; unseen, it would end what all requests rely on
            _log.exception("%s failed: it begins again", name)
        await clock.sleep(AGAIN_AFTER_US)

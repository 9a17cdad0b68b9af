"""What answers mean: whoever asked is told, and so is the breaker."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.exceptions import AskError, NoPermissionError, ResponseError

from adapters.outbound.redis.asked import Asked
from adapters.outbound.redis.lanes import Lanes
from adapters.outbound.redis.lua_scripts import ScriptError
from adapters.outbound.redis.probe import PingProbe
from adapters.outbound.redis.refusals import described, is_outage
from adapters.outbound.redis.store_breaker import StoreBreaker
from application.errors import StateUnavailable

_OWN_DELAY = 1.5

_log = logging.getLogger("moongate.store")


class AnswerDesk:
    """Hands out answers, turns errors into ours, and judges whether the store serves.

    Attributes:
        in_doubt: Something got no answer, and nothing has got one since.
        lanes: Where a command goes that belongs to another node.
        on_answer: Told how long each batch took that was answered. Must not fail.
    """

    def __init__(
        self, forms: Mapping[str, Callable[..., Any]], bound_s: float, breaker: StoreBreaker, probe: PingProbe
    ) -> None:
        self._forms = forms
        self._bound_s = bound_s
        self._breaker = breaker
        self._probe = probe
        self._forbidden: set[str] = set()
        self.in_doubt = False
        self.lanes: Lanes | None = None
        self.on_answer: Callable[[float], None] | None = None

    def receive(self, asked: Asked, said: object) -> Exception | None:
        """Tells whoever asked; returns an error that means an outage."""
        if not isinstance(said, Exception):
            self._succeed(asked, said)
        elif isinstance(said, AskError) and self.lanes is not None and self.lanes.follow(asked, said):
            return None
        elif is_outage(said):
            if asked.key is not None:
                self._probe.note(asked.key)
            asked.fail(StateUnavailable(f"redis does not serve ({type(said).__name__})"))
            return said
        else:
            self._refuse(asked, said)
        return None

    def judge(self, outage: Exception | None, took_s: float) -> None:
        """Tells the breaker how a batch fared that was answered after `took_s`."""
        if outage is None:
            self.in_doubt = False
            self._breaker.succeeded()
            if self.on_answer is not None:
                self.on_answer(took_s)
        else:
            self._blame(outage, took_s)

    def judge_lost(self, outages: Sequence[Exception], took_s: float) -> None:
        """Tells the breaker of a connection that was lost with these batches, the first `took_s` under way.

        That is one failure. While nothing is answered at all, each batch is one.
        """
        for outage in outages if self.in_doubt else outages[:1]:
            self._blame(outage, took_s)

    def _blame(self, outage: Exception, took_s: float) -> None:
        if took_s > _OWN_DELAY * self._bound_s:
            return  # The bound passed long before it was noticed: this process was stopped or busy, not the store.
        self.in_doubt = True
        self._breaker.failed(described(outage))
        if self.lanes is not None:
            self.lanes.refresh()

    def _succeed(self, asked: Asked, said: object) -> None:
        form = None if asked.script is not None else self._forms.get(asked.name)
        if form is None:
            asked.succeed(said)
            return
        try:
            asked.succeed(form(said))
        except Exception as error:  # noqa: BLE001 - one odd answer must not end the connection of all
            asked.fail(error)

    def _refuse(self, asked: Asked, said: Exception) -> None:
        if isinstance(said, NoPermissionError):
            if asked.name not in self._forbidden:
                self._forbidden.add(asked.name)
                _log.error("redis forbids %s (%s): going on without it as configured", asked.name, said)
            asked.fail(StateUnavailable(f"redis forbids {asked.name}"))
        elif asked.script is not None and isinstance(said, ResponseError):
            error = ScriptError(f"{asked.name}.lua failed: {said}")
            error.__cause__ = said
            asked.fail(error)
        else:
            asked.fail(said)

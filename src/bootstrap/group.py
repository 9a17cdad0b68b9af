"""What a supervisor has for its workers: the configuration that the next of them starts with."""

from collections.abc import Callable

from dependency_injector.providers import Object

from adapters.outbound.system.clock import SystemClock
from adapters.outbound.telemetry.log import set_log_level
from application.reloads import Reload
from bootstrap.configuration_error import ConfigurationError
from bootstrap.container import Container
from bootstrap.reload_board import ReloadBoard
from bootstrap.reloading import tell_refusal
from bootstrap.settings import Settings
from bootstrap.worker import Worker
from domain.price_book import PriceList


class Group:
    """Workers of one gateway. In the supervisor it only reads and looks: nothing of it is ever opened there."""

    def __init__(self, settings: Settings, make_container: Callable[[Settings], Container]) -> None:
        self._make_container = make_container
        self._container = make_container(settings)
        self._board = ReloadBoard()
        self._clock = SystemClock()

    def try_out(self) -> None:
        """Builds everything once and throws it away, so that what can't be built is said once.

        Raises:
            ConfigurationError: Something can't be.
        """
        self._give_prices(self._container.configured_prices())
        self._container.app()
        # Its lock would be every worker's, and nobody could ever tell that its process is dead.
        self._container.usage_journal().close()
        self._container.reset_singletons()

    def container_of(self, worker: Worker) -> Container:
        """For the process of that worker, which has the group as it was when it was forked."""
        # What a reload has looked at was made in the supervisor: all workers would draw by one generator's state.
        self._container.reset_singletons()
        self._container.ask_supervisor.override(Object(worker.ask_reload))
        self._container.reloaded_elsewhere.override(Object(self._board.read))
        return self._container

    def reload(self) -> bool:
        """Whether the configuration can be taken over; the log says why not."""
        try:
            candidate = self._container.read_candidate()()
        except ConfigurationError as error:
            tell_refusal(error.lines)
            self._board.write(Reload(self._clock.now_us(), error.lines))
            return False
        taken = candidate.takeover
        now_us = self._clock.now_us()
        self._board.write(Reload(now_us, (), taken.changed, taken.needs_restart, candidate.warnings))
        # Workers that are forked from now on have both as they are here.
        self._container.redactor().learn(candidate.secrets)
        set_log_level(taken.settings.observability.log_level)
        self._container = self._make_container(taken.settings)
        self._give_prices(candidate.price_list)
        return True

    def _give_prices(self, listed: PriceList | None) -> None:
        """Workers don't read the list: it may have changed, and a worker would bill otherwise than its siblings."""
        self._container.configured_prices.override(Object(listed))

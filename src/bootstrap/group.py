"""What a supervisor has for its workers: the configuration that the next of them starts with."""

from collections.abc import Callable

from dependency_injector.providers import Object

from adapters.outbound.system.clock import SystemClock
from application.reloads import Reload
from bootstrap.configuration_error import ConfigurationError
from bootstrap.container import Container
from bootstrap.refusal_board import RefusalBoard
from bootstrap.reloading import tell_refusal
from bootstrap.settings import Settings
from bootstrap.worker import Worker


class Group:
    """Workers of one gateway. In the supervisor it only reads and looks: nothing of it is ever opened there."""

    def __init__(self, settings: Settings, make_container: Callable[[Settings], Container]) -> None:
        self._make_container = make_container
        self._container = make_container(settings)
        self._board = RefusalBoard()
        self._clock = SystemClock()

    def try_out(self) -> None:
        """Builds everything once and throws it away, so that what can't be built is said once.

        Raises:
            ConfigurationError: Something can't be.
        """
        self._container.app()
        # Its lock would be every worker's, and nobody could ever tell that its process is dead.
        self._container.usage_journal().close()
        self._container.reset_singletons()

    def container_of(self, worker: Worker) -> Container:
        """For the process of that worker, which has the group as it was when it was forked."""
        self._container.ask_supervisor.override(Object(worker.ask_reload))
        self._container.refused_elsewhere.override(Object(self._board.read))
        return self._container

    def reload(self) -> bool:
        """Whether the configuration can be taken over; the log says why not."""
        try:
            candidate = self._container.read_candidate()()
        except ConfigurationError as error:
            tell_refusal(error.lines)
            self._board.write(Reload(self._clock.now_us(), error.lines))
            return False
        self._container = self._make_container(candidate.takeover.settings)
        return True

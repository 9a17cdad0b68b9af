from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of reading the configuration again.

    Attributes:
        messages: Why it was refused, a line for each problem; empty where it was taken over.
        changed: The keys that differ from what was in force before.
        needs_restart: The keys that differ and stay as they were until then.
        warnings: What is odd about it, and no error.
    """

    at_us: int
    messages: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it was taken over; otherwise nothing has changed."""
        return not self.messages


class LastReload:
    """The last reload of this process.

    Args:
        elsewhere: The last one that a supervisor refused for it, and told nobody else; None where there is none.
    """

    def __init__(self, elsewhere: Callable[[], Reload | None] | None = None) -> None:
        self._elsewhere = elsewhere
        self._here: Reload | None = None

    @property
    def value(self) -> Reload | None:
        """None before the first."""
        told = None if self._elsewhere is None else self._elsewhere()
        return max(filter(None, (self._here, told)), key=lambda reload: reload.at_us, default=None)

    def keep(self, reload: Reload) -> None:
        """It is the last one now."""
        self._here = reload

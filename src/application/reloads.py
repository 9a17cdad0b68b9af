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
        elsewhere: The last one of which its supervisor knows, numbered from 1; None where there is no supervisor. What
            that refused, it told nobody else. What it accepted, the process reloads by itself, unless it was accepted
            before the process began.
    """

    def __init__(self, elsewhere: Callable[[], tuple[int, Reload | None]] | None = None) -> None:
        self._elsewhere = elsewhere or _nowhere
        self._seen, self._here = self._elsewhere()
        self._seen_at_begin = self._seen

    @property
    def value(self) -> Reload | None:
        """None before the first."""
        number, told = self._elsewhere()
        # Clocks are set: only the numbers tell what came first.
        return self._here if number <= self._seen or told is None or told.ok else told

    def begin(self) -> None:
        """One begins here, which comes after all that were told so far."""
        number, _ = self._elsewhere()
        self._seen_at_begin = max(number, self._seen)

    def keep(self, reload: Reload) -> None:
        """What came of the one that began last."""
        self._here, self._seen = reload, self._seen_at_begin


def _nowhere() -> tuple[int, None]:
    return 0, None

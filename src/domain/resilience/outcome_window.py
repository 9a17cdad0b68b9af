"""How the calls of the last seconds went."""

from dataclasses import dataclass

from domain.durations import SECOND_US

Bucket = tuple[int, int, int, int]
"""One second of outcomes: `(second, calls, failures, slow)`."""


@dataclass(frozen=True, slots=True)
class OutcomeWindow:
    """Outcomes in one-second buckets, oldest first, with their totals. `slow` calls may be failures as well.

    The totals are those of the last `add` or `slide`; call `slide` to read them at another time.
    """

    calls: int = 0
    failures: int = 0
    slow: int = 0
    buckets: tuple[Bucket, ...] = ()


EMPTY = OutcomeWindow()


def add(window_us: int, window: OutcomeWindow, now_us: int, *, failed: bool, slow: bool) -> OutcomeWindow:
    """The window with one more outcome, and without what is older than `window_us`.

    A time before the newest bucket counts as that bucket's time. Costs one pass over the buckets at worst.
    """
    current = slide(window_us, window, now_us)
    buckets = current.buckets
    if buckets and buckets[-1][0] >= now_us // SECOND_US:
        second, calls, failures, slow_calls = buckets[-1]
        newest = (second, calls + 1, failures + failed, slow_calls + slow)
        buckets = (*buckets[:-1], newest)
    else:
        buckets = (*buckets, (now_us // SECOND_US, 1, int(failed), int(slow)))
    return OutcomeWindow(current.calls + 1, current.failures + failed, current.slow + slow, buckets)


def slide(window_us: int, window: OutcomeWindow, now_us: int) -> OutcomeWindow:
    """The window without the buckets that have left it; the same object where none has.

    A window of n seconds holds the current second and the n - 1 before it (a started second counts whole), so it
    reaches back between n - 1 and n seconds. Evicted buckets are subtracted from the totals, as resilience4j does.
    """
    buckets = window.buckets
    oldest = now_us // SECOND_US + 1 - -(-window_us // SECOND_US)
    if not buckets or buckets[0][0] >= oldest:
        return window
    calls, failures, slow = window.calls, window.failures, window.slow
    left = 0
    for second, old_calls, old_failures, old_slow in buckets:
        if second >= oldest:
            break
        calls, failures, slow = calls - old_calls, failures - old_failures, slow - old_slow
        left += 1
    return OutcomeWindow(calls, failures, slow, buckets[left:])

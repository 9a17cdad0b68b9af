"""Documents of which little is to be changed, and mostly nothing."""

from collections.abc import Callable
from typing import Any


def rewritten(items: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """What `change` makes of each, without those that it makes None; the very same list where it changes nothing."""
    kept = [change(item) for item in items]
    if all(ours is theirs for ours, theirs in zip(kept, items, strict=True)):
        return items
    return [item for item in kept if item is not None]

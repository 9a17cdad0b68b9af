"""How long instances take."""

from enum import StrEnum


class LatencyKind(StrEnum):
    """Two clocks that must not be mixed: a whole reply, and a stream's first content."""

    WHOLE = "whole"
    FIRST_CONTENT = "first_content"

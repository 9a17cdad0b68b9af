from collections.abc import Callable

from application.answered import Answered

__all__ = ["Answered", "OnAnswered"]

OnAnswered = Callable[[Answered], None]
"""Called once for each request, at its end. Must not fail, nor wait."""

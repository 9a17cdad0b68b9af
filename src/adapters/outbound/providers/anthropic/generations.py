"""What a Claude model's name tells of what it takes. A name that tells nothing counts as the newest that takes all.

Source: Anthropic's "Migrating to newer models", "Thinking" and "Effort" (November 2026).
"""

import re
from functools import lru_cache
from typing import Final

_NAME: Final = re.compile(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?!\d)")
_ADAPTIVE_SINCE: Final = (4, 6)
_NO_SAMPLING_SINCE: Final = (4, 7)


def thinks_by_budget(model: str) -> bool:
    """Whether it must be told how many tokens it may think: models before 4.6 know no adaptive thinking."""
    version = _version(model)
    return version is not None and version < _ADAPTIVE_SINCE


def refuses_sampling(model: str) -> bool:
    """Whether it refuses `temperature`, `top_p` and `top_k`, as all do since 4.7."""
    version = _version(model)
    return version is not None and version >= _NO_SAMPLING_SINCE


@lru_cache(maxsize=256)
def _version(model: str) -> tuple[int, int] | None:
    found = _NAME.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))

"""How many examples a test tries that compares two makers of the same answers over random histories."""

import os

IN_FULL = "TESTS_IN_FULL"
_SHORT = 3


def examples(count: int) -> int:
    """`count` where everything is tried, as by `make test-long`; else a third of them."""
    return count if os.environ.get(IN_FULL) else -(-count // _SHORT)

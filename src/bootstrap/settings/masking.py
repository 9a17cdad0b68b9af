"""URLs as people may see them."""

import re

MASK = "***"

# To the last @: a password may hold /, ?, # and @ itself. Rather too much is masked than the end of one is shown.
_USER_INFO = re.compile(r"^((?:[a-z][a-z0-9+.-]*:)?//)?.*@", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"([?&][^=&#]*=)[^&#]*")


def masked(url: str) -> str:
    """The URL without what must not be seen: user and password, and the value of every parameter."""
    return _PARAMETER.sub(rf"\g<1>{MASK}", _USER_INFO.sub(rf"\g<1>{MASK}@", url))

"""Where in a long list somebody is. Clients hand cursors back as they got them; what is in them is ours."""


def cursor_of(listing: str, place: str) -> str:
    """A cursor for the place after the item `place` of that list: letters, digits and a hyphen."""
    return f"{listing}-{place.encode().hex()}"


def place_of(listing: str, cursor: str) -> str:
    """What `cursor_of` was given.

    Raises:
        ValueError: It is no cursor of that list.
    """
    try:
        found = bytes.fromhex(cursor.removeprefix(f"{listing}-")).decode()
    except ValueError:
        found = ""
    if not found or cursor_of(listing, found) != cursor:
        raise ValueError(f"expected a cursor from the page before, found {cursor[:50]!r}")
    return found

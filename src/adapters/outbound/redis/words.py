"""What scripts and commands are made of."""

Word = str | int | bytes

_PLAIN = frozenset({bytes, int})


def as_sent(word: Word, name: str) -> Word:
    """`word`, so that sending it can't fail: one caller's mistake would fail everybody else in its pipeline.

    A text that is no valid Unicode (a client may send one) keeps its lone surrogates as bytes.

    Raises:
        TypeError: It is None, a bool, a float or anything else that Redis has no form for.
    """
    kind = type(word)
    if kind in _PLAIN:
        return word
    if isinstance(word, str):
        return word if kind is str and word.isascii() else word.encode("utf-8", "surrogatepass")
    if isinstance(word, bytes):
        return bytes(word)
    if kind is not bool and isinstance(word, int):
        return int(word)
    raise TypeError(f"{name}: expected text, bytes or an integer, found {kind.__name__}")


def as_text(word: bytes) -> str:
    """The text that was sent as `word`."""
    return word.decode("utf-8", "surrogatepass")

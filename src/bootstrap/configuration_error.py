"""The error of a configuration that can't be used, and how places in one are spelled."""

import difflib
import re
from collections.abc import Iterable, Sequence

KeyPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class ConfigurationError(Exception):
    """The configuration can't be used. `lines` says why, one problem each."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


def spell_path(path: Sequence[str | int]) -> str:
    """`model_list[0].provider.api_key`; keys that hold dots or the like are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text or "the configuration"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that looks most like `word`; None where none does."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return found[0] if found else None

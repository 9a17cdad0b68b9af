"""Scripts as they stand in `lua/`: found, assembled, and checked against their own headers.

The header is a contract that is read: how many keys and arguments a script takes, and what it mirrors. A script that
says something else than it does is refused when the gateway starts, not when the first request needs it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

_PACKAGED = Path(__file__).parent / "lua"
_REPOSITORY = Path(__file__).parents[4] / "lua"

# With it Redis refuses a key that was not declared or lies in another slot, on one server as on a cluster.
_SHEBANG = "#!lua"
_INCLUDE = re.compile(r"^-- @include (?P<name>[a-z0-9_/]+)$")
_SLOT = re.compile(r"^-- (?P<kind>KEYS|ARGV)\[(?P<number>\d+)(?P<more>\.\.)?\]\s+(?P<name>[a-z0-9_]+)\s+\S+\s+\S")
_MEANT_AS_SLOT = re.compile(r"^--\s*(KEYS|ARGV)\[")
_SECTIONS = ("Returns", "Writes", "Mirrors")


class ScriptError(RuntimeError):
    """A bug: a script is missing, says something else than it does, is called wrongly, or failed."""


@dataclass(frozen=True, slots=True)
class Slots:
    """How many keys or arguments a script takes: exactly `least`, or that many and more."""

    least: int
    more: bool = False

    def fit(self, count: int) -> bool:
        """Whether `count` are as many as it takes."""
        return count >= self.least if self.more else count == self.least


@dataclass(frozen=True, slots=True)
class Script:
    """One script, ready to be sent.

    Attributes:
        mirrors: `module:function` of the domain that decides the same.
        sha: The digest that EVALSHA calls it by.
    """

    name: str
    source: str = field(repr=False)
    keys: Slots
    arguments: Slots
    mirrors: str
    sha: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Once, not in each call: hashing costs more than all else that a call does before it is sent.
        object.__setattr__(self, "sha", sha1(self.source.encode(), usedforsecurity=False).hexdigest())

    def check(self, keys: Sequence[object], arguments: Sequence[object]) -> None:
        """Raises ScriptError where a call does not bring what the header asks for."""
        for kind, slots, given in (("keys", self.keys, keys), ("arguments", self.arguments, arguments)):
            if not slots.fit(len(given)):
                wanted = f"{slots.least} or more" if slots.more else str(slots.least)
                raise ScriptError(f"{self.name} takes {wanted} {kind}, got {len(given)}")


def scripts_folder() -> Path:
    """Where the scripts are: beside this module in an installed package, at the top of a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _REPOSITORY


def all_scripts(folder: Path | None = None) -> dict[str, Script]:
    """Every script by its name (`routing/admit`), assembled and checked.

    Raises:
        ScriptError: One of them breaks the rules of `lua/README.md`.
    """
    root = folder or scripts_folder()
    names = (path.relative_to(root).with_suffix("").as_posix() for path in sorted(root.rglob("*.lua")))
    return {name: load(name, root) for name in names if not name.startswith("lib/")}


def load(name: str, folder: Path | None = None) -> Script:
    """One script."""
    root = folder or scripts_folder()
    text = _read(root, name)
    lines = text.splitlines()
    header = [line for line in lines if line.startswith("--")]
    if not lines or not lines[0].startswith(f"-- {name}.lua: "):
        raise ScriptError(f"{name}.lua must name itself in its first line")
    sections = {section: _section(name, header, section) for section in _SECTIONS}
    body = "\n".join(_assemble(root, lines, seen=set(), path=(name,)))
    return Script(
        name, f"{_SHEBANG}\n{body}\n", _slots(name, header, "KEYS"), _slots(name, header, "ARGV"), sections["Mirrors"]
    )


def _read(root: Path, name: str) -> str:
    try:
        return (root / f"{name}.lua").read_text(encoding="utf-8")
    except OSError as error:
        raise ScriptError(f"{name}.lua cannot be read: {error.strerror}") from error


def _section(name: str, header: Sequence[str], section: str) -> str:
    for line in header:
        if line.startswith(f"-- {section} "):
            return line.removeprefix(f"-- {section} ").strip()
    raise ScriptError(f"{name}.lua says nothing of what it {section.lower()}")


def _slots(name: str, header: Sequence[str], kind: str) -> Slots:
    for line in header:
        if _MEANT_AS_SLOT.match(line) and not _SLOT.match(line):
            raise ScriptError(f"{name}.lua: {line!r} cannot be read as a slot: -- KEYS[1]  name  type  meaning")
    found = [match for line in header if (match := _SLOT.match(line)) and match["kind"] == kind]
    numbers = [int(match["number"]) for match in found]
    more = [bool(match["more"]) for match in found]
    if numbers != list(range(1, len(numbers) + 1)) or any(more[:-1]):
        raise ScriptError(f"{name}.lua must document its {kind} one by one, from 1, the open-ended one last")
    if more and more[-1]:
        return Slots(len(numbers) - 1, more=True)
    return Slots(len(numbers))


def _assemble(root: Path, lines: Sequence[str], seen: set[str], path: tuple[str, ...]) -> Iterator[str]:
    """The lines with every included helper in its place, each once."""
    for line in lines:
        match = _INCLUDE.match(line)
        if match is None and "@include" in line:
            raise ScriptError(f"{path[-1]}.lua: {line!r} is not -- @include lib/<name>")
        if match is None:
            yield line
            continue
        helper = match["name"]
        if helper in path:
            raise ScriptError(f"includes form a cycle: {' > '.join((*path, helper))}")
        if helper not in seen:
            seen.add(helper)
            yield from _assemble(root, _read(root, helper).splitlines(), seen, (*path, helper))

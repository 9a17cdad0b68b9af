"""What the command of each route is called."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from adapters.inbound.http.admin.route import AnyRoute, Method

_ANY = "{}"
_ONE: Mapping[Method, str] = MappingProxyType(
    {
        Method.GET: "show",
        Method.POST: "create",
        Method.PUT: "set",
        Method.PATCH: "update",
        Method.DELETE: "delete",
    }
)
# Where the regular word is not what people say; it is understood all the same.
_SAID = MappingProxyType(
    {
        ("keys", "delete"): "revoke",
        ("members", "create"): "add",
        ("members", "delete"): "remove",
        ("dlq", "delete"): "discard",
    }
)
_LIST = "list"


@dataclass(frozen=True, slots=True)
class Named:
    """A route and its place on the command line: `groups` and `verb`, as in `teams members` and `add`.

    Attributes:
        also: Another word for the verb, understood and not shown; empty for none.
    """

    route: AnyRoute
    groups: tuple[str, ...]
    verb: str
    also: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What is typed, without arguments."""
        return (*self.groups, self.verb)


def named(routes: Iterable[AnyRoute]) -> tuple[Named, ...]:
    """Every route under its own name.

    Where a verb takes one thing as well as all of them, the latter is called `…-all`.

    Raises:
        ValueError: Two routes would have one name, or one the name of a group.
    """
    table = tuple(routes)
    places = _Places(table)
    found = _told_apart([places.name(route) for route in table])
    groups = {each.groups[:depth] for each in found for depth in range(1, len(each.groups) + 1)}
    if odd := [each for each in found if each.words in groups]:
        raise ValueError(f"both a command and a group: {' '.join(odd[0].words)}")
    return tuple(found)


class _Places:
    """What the paths of a table say of each other."""

    def __init__(self, table: Sequence[AnyRoute]) -> None:
        self._methods: defaultdict[tuple[str, ...], set[Method]] = defaultdict(set)
        self._parents: set[tuple[str, ...]] = set()
        for route in table:
            path = _segments(route)
            self._methods[path].add(route.method)
            self._parents |= {path[:depth] for depth in range(1, len(path))}

    def name(self, route: AnyRoute) -> Named:
        """Its name, which another route may have as well."""
        path = _segments(route)
        words = tuple(segment.replace("_", "-") for segment in path if segment != _ANY)
        if path[-1] != _ANY and not self._is_resource(path):
            return Named(route, words[:-1], words[-1])
        regular = _LIST if self._lists(path, route) else _ONE[route.method]
        said = _SAID.get((words[-1], regular), regular)
        return Named(route, words, said, regular if said != regular else "")

    def _is_resource(self, path: tuple[str, ...]) -> bool:
        """Otherwise its last word is a verb."""
        return len(path) == 1 or path in self._parents or len(self._methods[path]) > 1

    def _lists(self, path: tuple[str, ...], route: AnyRoute) -> bool:
        if route.method is not Method.GET or path[-1] == _ANY:
            return False
        return (*path, _ANY) in self._parents | set(self._methods) or lists(route)


def lists(route: AnyRoute) -> bool:
    """Whether it answers with many things: with `data`, that is."""
    return route.response is not None and "data" in route.response.model_fields


def _segments(route: AnyRoute) -> tuple[str, ...]:
    return tuple(_ANY if part.startswith("{") else part for part in route.path.strip("/").split("/"))


def _told_apart(found: Sequence[Named]) -> list[Named]:
    together: defaultdict[tuple[str, ...], list[Named]] = defaultdict(list)
    for each in found:
        together[each.words].append(each)
    fewest = {words: min(len(each.route.parameters) for each in those) for words, those in together.items()}
    apart = [
        replace(each, verb=f"{each.verb}-all", also="")
        if len(together[each.words]) > 1 and len(each.route.parameters) == fewest[each.words]
        else each
        for each in found
    ]
    if len({each.words for each in apart}) < len(apart):
        twice = next(each for each in apart if sum(other.words == each.words for other in apart) > 1)
        raise ValueError(f"several routes would be `{' '.join(twice.words)}`: {twice.route.name} is one")
    return apart

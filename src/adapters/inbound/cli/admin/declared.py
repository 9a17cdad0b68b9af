"""The admin API's route table, as a program can have it that serves nothing."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from enum import EnumType
from typing import Any, get_type_hints

import adapters.inbound.http.admin as tables
from adapters.inbound.http.admin.route import AnyRoute

_SUFFIX = "_routes"
_PLAIN = (bool, int, str)


class _NotHere:
    """Stands for use cases and whatever else handlers hold: no handler is ever called."""

    def __getattr__(self, name: str) -> "_NotHere":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> "_NotHere":
        return self


def declared_routes() -> tuple[AnyRoute, ...]:
    """The routes of every `…_routes` function beside `Route`: by convention, a resource is such a module.

    A test holds this to the table that the composition root serves.
    """
    return tuple(route for table in _tables() for route in table(*_stand_ins(table)))


def _tables() -> Iterator[Callable[..., Iterable[AnyRoute]]]:
    for found in pkgutil.iter_modules(tables.__path__):
        module = importlib.import_module(f"{tables.__name__}.{found.name}")
        for name, value in vars(module).items():
            own = inspect.isfunction(value) and value.__module__ == module.__name__
            if own and name.endswith(_SUFFIX) and not name.startswith("_"):
                yield value


def _stand_ins(table: Callable[..., Any]) -> list[object]:
    hints = get_type_hints(table)
    wanted = inspect.signature(table).parameters.values()
    return [_stand_in(hints.get(each.name)) for each in wanted if each.default is inspect.Parameter.empty]


def _stand_in(kind: object) -> object:
    """A plain value where the type has one: some tables answer with what is configured, and look at it at once."""
    match kind:
        case EnumType():
            return next(iter(kind))
        case type() if kind in _PLAIN or is_dataclass(kind):
            try:
                return kind()
            except TypeError:
                return _NotHere()
        case _:
            return _NotHere()

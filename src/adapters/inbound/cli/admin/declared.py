"""The admin API's route table, as a program can have it that serves nothing."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import adapters.inbound.http.admin as tables
from adapters.inbound.http.admin.route import AnyRoute

_SUFFIX = "_routes"


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


def _stand_ins(table: Callable[..., Any]) -> list[_NotHere]:
    return [
        _NotHere()
        for wanted in inspect.signature(table).parameters.values()
        if wanted.default is inspect.Parameter.empty
    ]

"""The parameters of a command, made from the schemas of its route."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from adapters.inbound.cli.admin.request import Given, WrongArguments
from adapters.inbound.cli.admin.shape import Field, FieldPath, Kind, fields_of, nullable_paths
from adapters.inbound.http.admin.route import AnyRoute, Method
from adapters.inbound.http.admin.schema import NoFields

_METAVARS = {Kind.TIME: "TIME", Kind.TEXTS: "A,B,…", Kind.PAIRS: "NAME=VALUE"}
_TYPES = {Kind.INTEGER: click.INT, Kind.NUMBER: click.FLOAT}
_FORMAT = "format"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """How a route's path, query and body are given on the command line.

    Attributes:
        removable: What of the body may be null, where null removes something.
        has_format: Whether a parameter of the query says how the answer is written.
    """

    route: AnyRoute
    query: tuple[Field, ...]
    body: tuple[Field, ...]
    removable: tuple[str, ...]
    takes_a_body: bool
    has_format: bool

    def parameters(self) -> list[click.Parameter]:
        """What click is to read."""
        found: list[click.Parameter] = [
            click.Argument([f"id_{name}"], metavar=name.upper()) for name in self.route.parameters
        ]
        found += [_option(field, f"query_{number}") for number, field in enumerate(self.query) if _shown(field)]
        found += [_option(field, f"body_{number}") for number, field in enumerate(self.body) if _shown(field)]
        if self.removable:
            told = f"Remove what is set: {', '.join(self.removable)}. Can be repeated."
            found.append(click.Option(["--clear"], multiple=True, metavar="NAME", help=told))
        if self.takes_a_body:
            found.append(click.Option(["--set", "sets"], multiple=True, metavar="NAME=JSON", help=_set_help(self.body)))
        return found

    def ids(self, values: Values) -> dict[str, str]:
        """The parameters of the path."""
        return {name: values[f"id_{name}"] for name in self.route.parameters}

    def asked(self, values: Values, *, csv: bool) -> list[tuple[str, str]]:
        """The query."""
        found = [(path[0], _in_query(value)) for path, value in _given(self.query, "query", values)]
        return [*found, (_FORMAT, "csv")] if csv and self.has_format else found

    def told(self, values: Values) -> list[Given]:
        """The body. Raises WrongArguments."""
        return [
            *_given(self.body, "body", values),
            *((self._removed(name), None) for name in values.get("clear", ())),
            *(_set(text) for text in values.get("sets", ())),
        ]

    def _removed(self, name: str) -> FieldPath:
        found = name.replace("-", "_")
        if found not in self.removable:
            raise WrongArguments(f"--clear {name}: expected one of {', '.join(self.removable)}.")
        return tuple(found.split("."))


def options_of(route: AnyRoute) -> RouteOptions:
    """The options of a route."""
    body = route.request.model_json_schema()
    query = fields_of(route.query.model_json_schema())
    changes = route.method is Method.PATCH
    return RouteOptions(
        route,
        query=tuple(field for field in query if not _is_format(field)),
        body=fields_of(body),
        removable=tuple(".".join(path) for path in nullable_paths(body)) if changes else (),
        takes_a_body=route.request is not NoFields,
        has_format=any(_is_format(field) for field in query),
    )


def _is_format(field: Field) -> bool:
    """What `--json` and `--csv` say, in one word for all commands."""
    return field.name == _FORMAT and "csv" in field.choices


def _shown(field: Field) -> bool:
    return field.kind is not Kind.OTHER


def _option(field: Field, name: str) -> click.Option:
    words, told = [name], _help(field)
    match field.kind:
        case Kind.BOOLEAN:
            words.append(f"{field.option}/--no-{field.option.removeprefix('--')}")
            return click.Option(words, default=None, help=told)
        case Kind.TEXTS | Kind.PAIRS:
            return click.Option([*words, field.option], multiple=True, metavar=_METAVARS[field.kind], help=told)
        case Kind.TEXT if field.choices:
            return click.Option([*words, field.option], type=click.Choice(field.choices), help=told)
        case _:
            kind = _TYPES.get(field.kind, click.STRING)
            return click.Option([*words, field.option], type=kind, metavar=_METAVARS.get(field.kind), help=told)


def _help(field: Field) -> str:
    told = [field.description]
    if field.kind is Kind.TEXTS and field.choices:
        told.append(f"Of {', '.join(field.choices)}.")
    if field.example is not None:
        told.append(f"Such as {field.example}.")
    if field.kind is Kind.PAIRS:
        told.append("Can be repeated.")
    if field.required:
        told.append("[required]")
    elif field.default is not None:
        told.append(f"[default: {_in_query(field.default)}]")
    return " ".join(part for part in told if part)


def _set_help(fields: Iterable[Field]) -> str:
    others = ", ".join(field.name for field in fields if not _shown(field))
    return (
        f"A field as JSON, as limits={json.dumps({'rpm': 1})}; needed for {others}." if others else "A field as JSON."
    )


def _given(fields: Iterable[Field], prefix: str, values: Values) -> Iterator[Given]:
    for number, field in enumerate(fields):
        value = values.get(f"{prefix}_{number}")
        if value is not None and value != ():
            yield field.path, _read(field, value)


def _read(field: Field, value: Any) -> object:
    match field.kind:
        case Kind.TEXTS:
            # An option that is there and empty is the empty list: `--models ""` allows none.
            return [part.strip() for text in value for part in text.split(",") if part.strip()]
        case Kind.PAIRS:
            return dict(_pair(field.option, text) for text in value)
        case _:
            return value


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise WrongArguments(f"{option}: expected NAME=VALUE, found {text!r}.")
    return name, value


def _set(text: str) -> Given:
    name, value = _pair("--set", text)
    try:
        return tuple(name.replace("-", "_").split(".")), json.loads(value)
    except (ValueError, RecursionError):
        raise WrongArguments(f"--set {name}: expected JSON behind the '='; a text is {name}='\"text\"'.") from None


def _in_query(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(str(one) for one in value)
        case _:
            return str(value)

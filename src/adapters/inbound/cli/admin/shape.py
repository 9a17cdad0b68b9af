"""A JSON schema as a flat list of fields: what options and columns are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]
FieldPath = tuple[str, ...]


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    TIME = "time"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXTS = "texts"
    PAIRS = "pairs"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that has no fields of its own, or none that are known.

    Attributes:
        path: Its name, behind those of the objects that it is in.
        choices: The only values; empty for no such bound.
    """

    path: FieldPath
    kind: Kind
    choices: tuple[str, ...] = ()
    required: bool = False
    nullable: bool = False
    default: object = None
    description: str = ""
    example: object = None

    @property
    def name(self) -> str:
        """As messages of the API write it."""
        return ".".join(self.path)

    @property
    def option(self) -> str:
        """As the command line writes it."""
        return f"--{self.name.replace('_', '-')}"


def fields_of(schema: Json) -> tuple[Field, ...]:
    """The fields of an object, in order."""
    return tuple(_fields(schema, schema.get("$defs", {}), ()))


def nullable_paths(schema: Json) -> tuple[FieldPath, ...]:
    """What may be null: fields, and objects that have fields."""
    return tuple(_nullable(schema, schema.get("$defs", {}), ()))


def _fields(node: Json, definitions: Json, path: FieldPath) -> Iterator[Field]:
    needed = node.get("required", ())
    for name, declared in node.get("properties", {}).items():
        found, nullable = _resolved(declared, definitions)
        own = (*path, name)
        if "properties" in found:
            yield from _fields(found, definitions, own)
        else:
            # Inside an object that may be left out, nothing is required of everybody.
            yield _field(own, _with_items(found, definitions), nullable, name in needed and not path)


def _nullable(node: Json, definitions: Json, path: FieldPath) -> Iterator[FieldPath]:
    for name, declared in node.get("properties", {}).items():
        found, nullable = _resolved(declared, definitions)
        if nullable:
            yield (*path, name)
        yield from _nullable(found, definitions, (*path, name))


def _resolved(node: Json, definitions: Json) -> tuple[Json, bool]:
    """The schema behind references and `or null`, with what was said beside them; and whether null is one."""
    match node:
        case {"$ref": str() as reference}:
            found, nullable = _resolved(definitions[reference.rsplit("/", 1)[1]], definitions)
            # The description of a type tells a reader of code what it is; that of a field, what to give.
            return {**found, "description": "", **_without(node, "$ref")}, nullable
        case {"anyOf": [*several]}:
            rest = [one for one in several if one != {"type": "null"}]
            nullable = len(rest) < len(several)
            if len(rest) != 1:
                return node, nullable
            found, _ = _resolved(rest[0], definitions)
            return {**found, **_without(node, "anyOf")}, nullable
        case _:
            return node, False


def _with_items(node: Json, definitions: Json) -> Json:
    return {**node, "items": _resolved(node["items"], definitions)[0]} if "items" in node else node


def _without(node: Json, name: str) -> Json:
    return {key: value for key, value in node.items() if key != name}


def _field(path: FieldPath, node: Json, nullable: bool, required: bool) -> Field:
    inside = node.get("items", {})
    choices = node.get("enum") or ([node["const"]] if "const" in node else inside.get("enum", ()))
    return Field(
        path,
        _kind(node),
        choices=tuple(str(choice) for choice in choices),
        required=required,
        nullable=nullable,
        default=node.get("default"),
        description=" ".join(str(node.get("description", "")).split()),
        example=next(iter(node.get("examples", ())), None),
    )


def _kind(node: Json) -> Kind:
    match node:
        case {"type": "string", "format": "date-time"}:
            return Kind.TIME
        case {"type": "string"}:
            return Kind.TEXT
        case {"type": "integer" | "number" | "boolean" as plain}:
            return Kind(plain)
        case {"type": "array", "items": {"type": "string"}}:
            return Kind.TEXTS
        case {"type": "object", "additionalProperties": {"type": "string"}}:
            return Kind.PAIRS
        case _:
            return Kind.OTHER

"""Which keys are valid at a place in the document, read off the settings themselves."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

PROVIDER_KEY = "provider"


def valid_keys(root: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys of the mapping at `location`, which is pydantic's: it names a union's member by its tag."""
    current: Any = root
    for part in location:
        current = _inside(current, part)
    return list(keys_of(current)) if _is_model(current) else []


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """The type behind each key of a section, by the name it has in the file."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        return keys_of(annotation).get(str(part))
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _inside(arguments[0], part)
        case origin if origin is tuple:
            return arguments[0]
        case origin if origin is Mapping or origin is dict:
            return arguments[1]
        case origin if origin is Union or origin is UnionType:
            return next((member for member in arguments if _tag(member) == part), None)
        case _:
            return None


def _tag(member: Any) -> object:
    return member.model_fields["type"].default if _is_model(member) and "type" in member.model_fields else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

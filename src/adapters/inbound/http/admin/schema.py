"""What the admin API reads and says, as pydantic models: one declaration parses, answers and is documented."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from adapters.inbound.http.body import parse_object
from adapters.inbound.http.errors import InvalidJson
from adapters.inbound.http.fields import refuse_unknown
from application.errors import GatewayError, InvalidRequest
from domain.pages import MOST_ITEMS

ItemT = TypeVar("ItemT")

_SHOWN_CHARACTERS = 60
_DEFAULT_PAGE = 100


class Schema(BaseModel):
    """A JSON object with these fields and no others. Nothing is converted: a string is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoFields(Schema):
    """No body, or an empty object; of a query: no parameters."""


class Query(Schema):
    """The parameters of a query. They arrive as text, so here numbers may be written as such."""

    model_config = ConfigDict(strict=False)


class PageQuery(Query):
    """Which piece of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = _DEFAULT_PAGE
    after: Annotated[str, Field(max_length=500, description="`next` of the page before.")] | None = None


class Listing(Schema, Generic[ItemT]):
    """A page of a list. `next` is what to give as `after` for the following one; null on the last."""

    data: Sequence[ItemT]
    next: str | None


def _without_null_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        if field.get("default", ...) is None:
            del field["default"]


class Patch(Schema):
    """Fields to be set. Those that are absent stay as they are; null removes what is optional."""

    # To send null is to remove: it must not be documented as what an absent field means.
    model_config = ConfigDict(json_schema_extra=_without_null_defaults)

    def given(self) -> dict[str, Any]:
        """The fields that the client sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def left_out() -> Any:
    """The default of a patch's field that can't be null: none that a client could see, or send."""
    return Field(default=None)


SchemaT = TypeVar("SchemaT", bound=Schema)


def read_body(schema: type[SchemaT], payload: bytes) -> SchemaT:
    """The body. Where no field is required, there need be none.

    Raises:
        InvalidJson: It is no strict JSON object.
        InvalidRequest: A field is unknown, missing, or not what it should be; `param` names it.
    """
    fields = parse_object(payload) if payload else {}
    refuse_unknown(fields, schema.model_fields)
    try:
        # Pydantic's own reading of JSON takes texts for enums; of Python's objects, strictly, it would not.
        return schema.model_validate_json(payload or b"{}")
    except ValidationError as error:
        raise _refusal(error) from None


def read_query(schema: type[SchemaT], pairs: Iterable[tuple[str, str]]) -> SchemaT:
    """The query. Raises InvalidRequest where a parameter is unknown, stands twice, or is not what it should be."""
    fields: dict[str, object] = {}
    for name, text in pairs:
        if name in fields:
            raise InvalidRequest(f"{name[:_SHOWN_CHARACTERS]}: expected once in the query.", param=name)
        if not text.isprintable():
            raise InvalidRequest(f"{name[:_SHOWN_CHARACTERS]}: expected printable characters.", param=name)
        fields[name] = text
    refuse_unknown(fields, {found.alias or name: found for name, found in schema.model_fields.items()})
    try:
        return schema.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> GatewayError:
    """About the first thing that is wrong. What the client sent is not repeated: it may hold a secret."""
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return InvalidJson("The body holds half of a surrogate pair: send whole characters.")
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    param = _param(first["loc"])
    return InvalidRequest(f"{param}: {_told(first)}.", param=param)


def _told(found: ErrorDetails) -> str:
    match found["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "missing":
            return "this field is required"
        case "value_error":
            return str(found["ctx"]["error"])
        case _:
            text = found["msg"]
            return text[:1].lower() + text[1:]


def _param(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part[:_SHOWN_CHARACTERS]}" if path else part[:_SHOWN_CHARACTERS]
    return path

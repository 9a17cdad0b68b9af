"""Settings as people may see them: as a file would say them, but for secrets."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from bootstrap.settings.masking import MASK
from bootstrap.settings.root import Settings
from domain.durations import SECOND_US
from domain.money import format_dollars, format_price

_MS_US = 1_000

# Whatever a later section forgets to declare as one.
_SECRET_NAME = re.compile(r"(^|[-_])(key|secret|password|passphrase|pepper|token|credential)s?$", re.IGNORECASE)


def shown(settings: Settings) -> dict[str, Any]:
    """The whole configuration in force, defaults too, as JSON. Secrets that are set are `***`; others are empty."""
    return {**shown_section(settings), "model_list": [shown_section(model) for model in settings.models]}


def shown_section(section: BaseModel) -> dict[str, Any]:
    """One section under the names and in the units of the file."""
    return {
        field.alias or name: _shown(name, getattr(section, name)) for name, field in type(section).model_fields.items()
    }


def _shown(name: str, value: Any) -> Any:
    match value:
        case SecretStr():
            return MASK if value.get_secret_value() else ""
        case BaseModel():
            return shown_section(value)
        case Mapping():
            return {key: _shown(key, item) for key, item in value.items()}
        case tuple() | list():
            return [_shown(name, item) for item in value]
        case _:
            return _plain(name, value)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return MASK if value and _SECRET_NAME.search(name) else value
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if name.endswith("_us"):
        return _span(value)
    if name.endswith("_price_nano"):
        return format_price(value)
    return format_dollars(value) if name.endswith("_nano") else value


def _span(span_us: int) -> str:
    if span_us % SECOND_US == 0:
        return f"{span_us // SECOND_US}s"
    whole_ms, rest_us = divmod(span_us, _MS_US)
    return f"{whole_ms}.{rest_us:03d}ms" if rest_us else f"{whole_ms}ms"

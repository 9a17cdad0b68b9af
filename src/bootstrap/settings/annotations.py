"""Types of single values: what a key accepts, in the words that its error will use."""

import ipaddress
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from domain.catalog import WEIGHT_SCALE
from domain.durations import parse_duration_us
from domain.limits.limit import LARGEST_LIMIT
from domain.money import TOKENS_PER_PRICE, parse_price_nano
from domain.routing.strategies import parse_strategy

MAX_DURATION_US = parse_duration_us("365d")
SHORTEST_INTERVAL_US = parse_duration_us("100ms")
MAX_DOLLARS = 1_000_000
MAX_WEIGHT = 1_000_000

_NAME = re.compile(r"[!-~](?:[ -~]{0,254}[!-~])?")
_TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]*")


class Section(BaseModel):
    """A mapping with known keys. The key in the file is the alias, where a unit is part of the field's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic reads ValueError as the value's fault
    return value


def _flag(value: object) -> object:
    if not isinstance(value, bool | str):
        raise ValueError("expected true or false")  # noqa: TRY004 - as above
    return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _duration_us(value: object) -> int:
    if not isinstance(value, str | int | float):
        raise ValueError("expected a duration such as 500ms, 60s, 5m, 1h or a number of seconds")  # noqa: TRY004 - as above
    span_us = parse_duration_us(value)
    if span_us > MAX_DURATION_US:
        raise ValueError("expected a duration of at most 365d")
    return span_us


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("expected a duration above 0")
    return value


def _none_or_some(value: int) -> int:
    if 0 < value < SHORTEST_INTERVAL_US:
        raise ValueError("expected at least 100ms, or 0s to turn it off")
    return value


def _price_nano(value: object) -> int:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("expected dollars as a decimal number, best in quotes")  # noqa: TRY004 - as above
    try:
        in_range = 0 <= Decimal(str(value).strip()) <= MAX_DOLLARS
    except InvalidOperation as error:
        raise ValueError("expected dollars as a decimal number") from error
    if not in_range:  # looked at first: a huge exponent would be costly to multiply out
        raise ValueError(f"expected dollars from 0 to {MAX_DOLLARS:,}")
    return parse_price_nano(value)


def _price_or_none(value: object) -> int | None:
    return None if value is None or value == "" else _price_nano(value)


def _dollars_nano(value: object) -> int:
    nano, rest = divmod(_price_nano(value), TOKENS_PER_PRICE)
    if rest:
        raise ValueError("expected dollars with at most nine decimals")
    return nano


def _weight_milli(value: float) -> float:
    if 0 < value * WEIGHT_SCALE < 1:
        raise ValueError(f"expected 0 or at least {1 / WEIGHT_SCALE}")
    return value


def _matching(pattern: re.Pattern[str], expectation: str) -> AfterValidator:
    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise ValueError(f"expected {expectation}")
        return value

    return AfterValidator(check)


def _secret(value: object) -> object:
    """Surrounding white space goes: keys read from files end in a newline."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    text = text.strip()
    if _VISIBLE_ASCII.fullmatch(text) is None:
        raise ValueError("expected visible ASCII characters only")
    return SecretStr(text)


def _http_url(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment or not _NAME.fullmatch(value):
        raise ValueError("expected a URL such as https://host/v1, without user, query or fragment")
    return value.rstrip("/")


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise ValueError("expected an IP address or a network such as 10.0.0.0/8") from error
    return value


def _strategy(value: str) -> str:
    parse_strategy(value)
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Integer = Annotated[int, BeforeValidator(_no_flag)]
Natural = Annotated[int, Field(ge=0), BeforeValidator(_no_flag)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_no_flag)]
OptionalCount = Annotated[Count | None, BeforeValidator(_empty_is_none)]
Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT), BeforeValidator(_no_flag)]
OptionalLimit = Annotated[Limit | None, BeforeValidator(_empty_is_none)]
Port = Annotated[int, Field(ge=0, le=65_535), BeforeValidator(_no_flag)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), BeforeValidator(_no_flag)]
Threshold = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), BeforeValidator(_no_flag)]
Percent = Annotated[int, Field(ge=0, le=1_000), BeforeValidator(_no_flag)]
Multiple = Annotated[float, Field(ge=1, le=100, allow_inf_nan=False), BeforeValidator(_no_flag)]
Weight = Annotated[
    float,
    Field(ge=0, le=MAX_WEIGHT, allow_inf_nan=False),
    BeforeValidator(_no_flag),
    AfterValidator(_weight_milli),
]
Span = Annotated[int, BeforeValidator(_duration_us)]
Timeout = Annotated[int, AfterValidator(_positive), BeforeValidator(_duration_us)]
Interval = Annotated[int, AfterValidator(_none_or_some), BeforeValidator(_duration_us)]
OptionalTimeout = Annotated[Timeout | None, BeforeValidator(_empty_is_none)]
Price = Annotated[int | None, BeforeValidator(_price_or_none)]
Dollars = Annotated[int, BeforeValidator(_dollars_nano)]
Name = Annotated[str, _matching(_NAME, "1 to 256 visible ASCII characters, spaces only inside")]
OptionalName = Annotated[Name | None, BeforeValidator(_empty_is_none)]
Token = Annotated[str, _matching(_TOKEN, "letters, digits, '.', '_', ':' and '-', at most 200")]
OptionalToken = Annotated[Token | None, BeforeValidator(_empty_is_none)]
HeaderName = Annotated[str, _matching(_HEADER_NAME, "the name of an HTTP header")]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Network = Annotated[str, AfterValidator(_network)]
StrategyText = Annotated[str, AfterValidator(_strategy)]

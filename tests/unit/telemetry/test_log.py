import json
import logging
from pathlib import Path
from typing import Any

import pytest

from adapters.outbound.telemetry.log import JsonFormatter, TextFormatter
from domain.redaction import Redactor

SECRET = 'hunt"er\\2'


def record(told: dict[str, Any] | None = None, name: str = "moongate.test") -> logging.LogRecord:
    one = logging.LogRecord(name, logging.INFO, __file__, 1, "hello", None, None)
    if told is not None:
        one.told = told
    return one


def line(told: dict[str, Any] | None = None, name: str = "moongate.test") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(JsonFormatter(Redactor([SECRET])).format(record(told, name)))
    return found


def test_values_lose_secrets_however_deep_they_are_and_keys_stay() -> None:
    told = {"a": {"authorization": ["yesyesyes", f"x{SECRET}", 5, None]}, "b": (f"{SECRET}",), "api-key": "sk-abcdefgh"}

    found = line(told)

    assert found["a"] == {"authorization": ["yesyesyes", "x[redacted]", 5, None]}
    assert (found["b"], found["api-key"]) == (["[redacted]"], "[redacted]")


def test_value_that_json_has_no_word_for_loses_secrets_too() -> None:
    assert line({"at": Path("/x/sk-abcdefgh")})["at"] == "/x/[redacted]"


def test_logger_and_level_stay_whatever_is_secret() -> None:
    found = json.loads(JsonFormatter(Redactor(["moongate"])).format(record()))

    assert (found["logger"], found["level"]) == ("moongate.test", "info")


def test_text_shows_what_is_told_without_secrets() -> None:
    text = TextFormatter(Redactor([SECRET])).format(record({"a": ["authorization", SECRET], "b": 404}))

    assert text.endswith('hello {"a": ["authorization", "[redacted]"], "b": 404}')


@pytest.mark.parametrize("style", [JsonFormatter, TextFormatter])
def test_exception_loses_secrets(style: type[JsonFormatter | TextFormatter]) -> None:
    one = record()
    one.exc_text = f"ValueError: {SECRET}"

    assert "hunt" not in style(Redactor([SECRET])).format(one)

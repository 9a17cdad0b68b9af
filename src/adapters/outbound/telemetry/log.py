"""Log lines on standard error: JSON objects, or text for people. None holds a credential."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.telemetry.off_loop import FinalRecord, OffLoopHandler
from domain.redaction import Redactor

_LEVELS: Final = MappingProxyType(
    {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
)
# Below warnings these tell every header that passes, every statement with its values, or every turn of the loop.
_TALKATIVE: Final = ("aiosqlite", "asyncio", "hpack", "httpcore", "httpx", "opentelemetry", "sqlalchemy", "urllib3")
_to_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


def _texts(value: object) -> Iterator[str]:
    match value:
        case None | bool() | int() | float():
            return
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
        case _:
            yield str(value)


def _each_redacted(value: Any, redact: Callable[[str], str]) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {key: _each_redacted(each, redact) for key, each in value.items()}
        case list() | tuple():
            return [_each_redacted(each, redact) for each in value]
        case _:
            return redact(str(value))


def _without_secrets(fields: Mapping[str, object], redact: Callable[[str], str]) -> Mapping[str, object]:
    """Each value by itself: in the encoded line, what a client sends could take the fields beside it along."""
    fields = dict(fields)
    # Most lines hold nothing to be redacted, and one look is enough to see it.
    said = "\n".join(_texts(fields))
    if redact(said) == said:
        return fields
    redacted: Mapping[str, object] = _each_redacted(fields, redact)
    return redacted


class JsonFormatter(logging.Formatter):
    """One JSON object a line, so that nothing in a message can forge another line."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        said = record.fields() if isinstance(record, FinalRecord) else {"message": record.getMessage()}
        told = {**getattr(record, "told", {}), **said}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            told["exception"] = record.exc_text
        # Nothing that is told takes the place of what is fixed, which comes first.
        return _to_json({**line, **_without_secrets(told, self._redactor.redact), **line})


class TextFormatter(logging.Formatter):
    """One line for people, then the exception if there is one; control characters are escaped."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line or lines."""
        return self._redactor.redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line without its exception."""
        told = _without_secrets(getattr(record, "told", {}), self._redactor.redact)
        said = super().formatMessage(record) + (f" {_to_json(told)}" if told else "")
        escaped = self._redactor.redact(said).encode("unicode_escape")
        return escaped.decode("ascii")


def configure_logging(level: str, style: str, redactor: Redactor) -> OffLoopHandler:
    """Sends the log of this process to standard error. `level`: debug … error; `style`: json or text.

    Until the handler is started, each line is written at once, by whoever logs it.
    """
    formatter = JsonFormatter(redactor) if style == "json" else TextFormatter(redactor)
    handler = OffLoopHandler(sys.stderr, formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def set_log_level(level: str) -> None:
    """From now on; `level` as in `configure_logging`."""
    logging.getLogger().setLevel(_LEVELS[level])

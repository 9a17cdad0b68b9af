"""Log lines on standard error: JSON objects, or text for people. None holds a credential."""

import json
import logging
import sys
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from adapters.outbound.telemetry.off_loop import FinalRecord, OffLoopHandler
from domain.redaction import Redactor

_LEVELS: Final = MappingProxyType(
    {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
)
# Below warnings these tell every header that passes, every statement with its values, or every turn of the loop.
_TALKATIVE: Final = ("aiosqlite", "asyncio", "hpack", "httpcore", "httpx", "opentelemetry", "sqlalchemy", "urllib3")
_to_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


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
        # Before they are escaped once more: what is spelled in Python's notation would be spelled anew.
        redact = self._redactor.redact
        line |= record.fields() if isinstance(record, FinalRecord) else {"message": redact(record.getMessage())}
        line = {**getattr(record, "told", {}), **line}
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        elif record.exc_text:
            line["exception"] = redact(record.exc_text)
        return redact(_to_json(line))


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
        told = getattr(record, "told", None)
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

"""Log lines on standard error: JSON objects, or text for people."""

import json
import logging
import sys
from datetime import UTC, datetime

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, so that nothing in a message can forge another line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line = {**getattr(record, "fields", {}), **line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line for people; control characters are escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line without its exception."""
        fields = getattr(record, "fields", None)
        more = f" {json.dumps(fields, default=str)}" if fields else ""
        escaped = (super().formatMessage(record) + more).encode("unicode_escape")
        return escaped.decode("ascii")


def configure_logging(level: str, style: str) -> None:
    """Sends the log of this process to standard error. `level`: debug … error; `style`: json or text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])


def set_log_level(level: str) -> None:
    """From now on; `level` as in `configure_logging`."""
    logging.getLogger().setLevel(_LEVELS[level])

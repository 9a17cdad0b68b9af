"""A command group whose errors are plain lines and exit statuses, never tracebacks."""

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

USAGE_STATUS = 2
FAILURE_STATUS = 1
INTERRUPTED_STATUS = 130

_log = logging.getLogger(__name__)


class CommandFailed(Exception):
    """A command can't do what it was asked. Each of `lines` is printed by itself."""

    def __init__(self, lines: Sequence[str], status: int = FAILURE_STATUS) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
        self.status = status


class OneLineErrors(click.Group):
    """Ends the process with 0, 1 (failed), 2 (usage or configuration) or 130 (interrupted)."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Runs the command in `args` and exits."""
        kwargs["standalone_mode"] = False
        try:
            outcome = super().main(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the outermost handler of the command line
            sys.exit(_explained(error))
        sys.exit(outcome if isinstance(outcome, int) else 0)


def _explained(error: Exception) -> int:
    lines, status = _lines_and_status(error)
    with contextlib.suppress(BrokenPipeError):
        for line in lines:
            click.echo(line, err=True)
    return status


def _lines_and_status(error: Exception) -> tuple[Sequence[str], int]:
    match error:
        case CommandFailed():
            return error.lines, error.status
        case click.exceptions.NoArgsIsHelpError():
            return [error.format_message()], USAGE_STATUS
        case click.ClickException():
            return [_one_line(error.format_message())], error.exit_code
        case click.Abort():
            return [], INTERRUPTED_STATUS
        case OSError():
            if isinstance(error, BrokenPipeError):
                _drop_stdout()
            return [_one_line(str(error))], FAILURE_STATUS
        case _:
            _log.debug("unexpected error of a command", exc_info=error)
            what = _one_line(f"unexpected {type(error).__name__}: {error}")
            return [f"{what} (a fault of Moongate: please report it)"], FAILURE_STATUS


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _drop_stdout() -> None:
    """Whoever read the output is gone: what is still buffered must not fail again when Python exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

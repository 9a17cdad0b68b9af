"""From a file and the environment to settings, or to every reason why not."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bootstrap.config_file import expand, read_document
from bootstrap.configuration_error import ConfigurationError, KeyPath
from bootstrap.settings.errors import Contradiction, key_path, problems
from bootstrap.settings.root import Settings

Overrides = Mapping[tuple[str, str], object]
"""Values that win over the file, by section and key."""

FROM_ENVIRONMENT: Mapping[tuple[str, str], str] = {
    ("redis", "url"): "${REDIS_URL:-}",
    ("database", "url"): "${DATABASE_URL:-}",
    ("auth", "master_key"): "${MOONGATE_MASTER_KEY:-}",
    ("auth", "key_pepper"): "${MOONGATE_KEY_PEPPER:-}",
}
"""Keys whose default is in the environment."""

_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what about them is odd but no error."""

    settings: Settings
    warnings: tuple[str, ...] = ()


def load_settings(path: Path | None, environ: Mapping[str, str], overrides: Overrides | None = None) -> Loaded:
    """The settings in the file at `path`; all defaults without one.

    Raises:
        ConfigurationError: With a line for everything that is wrong.
    """
    return parse_settings({} if path is None else read_document(path), environ, overrides)


def parse_settings(document: object, environ: Mapping[str, str], overrides: Overrides | None = None) -> Loaded:
    """The settings in a document as YAML gives it: nothing expanded yet.

    Raises:
        ConfigurationError: With a line for everything that is wrong.
    """
    if not isinstance(document, dict):
        raise ConfigurationError(["the configuration: expected a mapping of keys to values"])
    raw = _with_defaults({key: value for key, value in document.items() if value is not None})
    expanded = expand(raw, environ)
    data = _overridden(expanded.document, overrides or {})
    try:
        return Loaded(Settings.model_validate(data), expanded.warnings)
    except ValidationError as error:
        lines = [*problems(error, Settings, raw), *_hidden_contradictions(data, error)]
        raise ConfigurationError(dict.fromkeys(lines)) from error


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    filled = dict(document)
    for (section, key), text in FROM_ENVIRONMENT.items():
        present = filled.get(section, {})
        if isinstance(present, dict):
            filled[section] = {key: text, **present}
    return filled


def _overridden(document: Any, overrides: Overrides) -> Any:
    for (section, key), value in overrides.items():
        present = document.setdefault(section, {})
        if isinstance(present, dict):
            present[key] = value
    return document


def _hidden_contradictions(data: object, error: ValidationError) -> list[str]:
    """Contradictions that pydantic did not get to, because values were wrong: looked for in what is right."""
    remaining = deepcopy(data)
    for _ in range(_MAX_ROUNDS):
        details = error.errors(include_url=False)
        causes = [detail.get("ctx", {}).get("error") for detail in details]
        found = [line for cause in causes if isinstance(cause, Contradiction) for line in cause.lines]
        if found:
            return found
        _prune(remaining, (key_path(detail) for detail in details))
        try:
            Settings.model_validate(remaining)
        except ValidationError as next_error:
            error = next_error
        else:
            return []
    return []


def _prune(document: Any, paths: Iterable[KeyPath]) -> None:
    """Takes out what is wrong; where something is missing, what it is missing from. Later list entries go first."""
    ordered = sorted(set(paths), key=_indexes_as_numbers, reverse=True)
    missing = [path for path in ordered if not _remove(document, path)]
    for path in sorted({path[:-1] for path in missing}, key=_indexes_as_numbers, reverse=True):
        _remove(document, path)


def _remove(document: Any, path: KeyPath) -> bool:
    container = document
    for part in path[:-1]:
        if not _has(container, part):
            return False
        container = container[part]
    if not path or not _has(container, path[-1]):
        return False
    del container[path[-1]]
    return True


def _has(container: Any, part: str | int) -> bool:
    if isinstance(container, list):
        return isinstance(part, int) and part < len(container)
    return isinstance(container, dict) and part in container


def _indexes_as_numbers(path: KeyPath) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)

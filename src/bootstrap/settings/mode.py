"""Lite or full: whether state stays in this process or is shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings.root import Settings

MODE_VARIABLE = "MOONGATE_MODE"
LITE_VARIABLE = "MOONGATE_LITE_MODE"

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})


class Mode(StrEnum):
    """LITE: memory and SQLite, one process. FULL: Redis and Postgres, any number of processes."""

    LITE = "lite"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class ModeDecision:
    """The mode and, for `/health` and people, why."""

    mode: Mode
    reason: str


@dataclass(frozen=True, slots=True)
class _Stores:
    redis: bool
    postgres: bool


def resolve_mode(settings: Settings, environ: Mapping[str, str]) -> ModeDecision:
    """The mode that the settings and `MOONGATE_MODE` / `MOONGATE_LITE_MODE` ask for.

    Raises:
        ConfigurationError: They contradict each other, or several workers would each have a state of their own.
    """
    decision = _decide(settings, environ)
    shared = decision.mode is Mode.FULL and settings.state != "memory"
    if settings.server.workers > 1 and not shared:
        need = "workers need Redis to share limits, circuits and turns: set redis.url, or use 1 worker"
        raise ConfigurationError([f"server.workers: {settings.server.workers} {need}"])
    return decision


def _decide(settings: Settings, environ: Mapping[str, str]) -> ModeDecision:
    if _is_true(environ):
        return ModeDecision(Mode.LITE, f"{LITE_VARIABLE} is true")
    wish: str = settings.mode
    source = "mode"
    if environ.get(MODE_VARIABLE):
        wish, source = _wish(environ[MODE_VARIABLE]), MODE_VARIABLE
    stores = _stores(settings)
    if wish == "lite":
        return _lite(settings, f"{source} is lite")
    if wish == "full":
        return _full(settings, stores, f"{source} is full")
    if not stores.redis and not stores.postgres:
        return _lite(settings, "neither redis.url nor the URL of a Postgres database is set")
    named = [name for name, is_set in (("redis.url", stores.redis), ("database.url", stores.postgres)) if is_set]
    return _full(settings, stores, f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} set")


def _lite(settings: Settings, reason: str) -> ModeDecision:
    if settings.state == "redis":
        raise ConfigurationError([f"state: redis is impossible in lite mode ({reason})"])
    return ModeDecision(Mode.LITE, reason)


def _full(settings: Settings, stores: _Stores, reason: str) -> ModeDecision:
    if settings.state == "redis" and not stores.redis:
        raise ConfigurationError(["state: redis needs redis.url"])
    if not stores.redis and not stores.postgres:
        raise ConfigurationError([f"mode: full needs redis.url and the URL of a Postgres database ({reason})"])
    if not stores.postgres and settings.state != "redis":
        raise ConfigurationError([f"database.url: {reason}, but no Postgres; set it, or `state: redis` to go without"])
    if not stores.redis and settings.state != "memory":
        raise ConfigurationError([f"redis.url: {reason}, but no Redis; set it, or `state: memory` to go without"])
    return ModeDecision(Mode.FULL, reason)


def names_postgres(url: str) -> bool:
    """Whether a database URL is that of a Postgres server."""
    return urlsplit(url).scheme not in {"", "sqlite"}


def _stores(settings: Settings) -> _Stores:
    database, redis = settings.database.url.get_secret_value(), settings.redis.url.get_secret_value()
    return _Stores(redis=bool(redis), postgres=names_postgres(database))


def _wish(text: str) -> str:
    if text not in {"auto", "lite", "full"}:
        raise ConfigurationError([f"{MODE_VARIABLE}: expected auto, lite or full, found {text!r}"])
    return text


def _is_true(environ: Mapping[str, str]) -> bool:
    text = environ.get(LITE_VARIABLE, "").lower()
    if text not in _TRUE | _FALSE:
        raise ConfigurationError([f"{LITE_VARIABLE}: expected true or false, found {text!r}"])
    return text in _TRUE

import pytest

from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import Mode, resolve_mode
from tests.bootstrap_tests.documents import settings_of

REDIS = "redis: {url: 'redis://r'}\n"
POSTGRES = "database: {url: 'postgresql://d'}\n"
SQLITE = "database: {url: 'sqlite:///f'}\n"


@pytest.mark.parametrize(
    ("text", "environ", "mode"),
    [
        ("", {}, Mode.LITE),
        (SQLITE, {}, Mode.LITE),
        (REDIS + POSTGRES, {}, Mode.FULL),
        (REDIS + "state: redis", {}, Mode.FULL),
        (POSTGRES + "state: memory", {}, Mode.FULL),
        (REDIS + POSTGRES + "mode: lite", {}, Mode.LITE),
        (REDIS + POSTGRES + "mode: full", {}, Mode.FULL),
        (REDIS + POSTGRES, {"MOONGATE_MODE": "lite"}, Mode.LITE),
        (REDIS + POSTGRES + "mode: lite", {"MOONGATE_MODE": "auto"}, Mode.FULL),
        (REDIS + POSTGRES + "mode: full", {"MOONGATE_LITE_MODE": "true"}, Mode.LITE),
        (REDIS + POSTGRES, {"MOONGATE_LITE_MODE": "false", "MOONGATE_MODE": ""}, Mode.FULL),
        (REDIS + POSTGRES + "server: {workers: 4}", {}, Mode.FULL),
    ],
)
def test_the_mode_follows_configuration_and_environment(text: str, environ: dict[str, str], mode: Mode) -> None:
    assert resolve_mode(settings_of(text), environ).mode is mode


def test_the_reason_is_told() -> None:
    forced = resolve_mode(settings_of(""), {"MOONGATE_LITE_MODE": "1"})
    auto = resolve_mode(settings_of(REDIS + POSTGRES), {})
    assert (forced.reason, auto.reason) == ("MOONGATE_LITE_MODE is true", "redis.url and database.url are set")


@pytest.mark.parametrize(
    ("text", "environ", "message"),
    [
        ("mode: full", {}, "needs redis.url"),
        ("", {"MOONGATE_MODE": "full"}, "MOONGATE_MODE is full"),
        (REDIS, {}, "no Postgres"),
        (REDIS + "mode: full", {}, "no Postgres"),
        (POSTGRES, {}, "no Redis"),
        (POSTGRES + "state: redis", {}, "state: redis needs redis.url"),
        ("state: redis", {}, "impossible in lite mode"),
        ("", {"MOONGATE_MODE": "fast"}, "expected auto, lite or full, found 'fast'"),
        ("", {"MOONGATE_LITE_MODE": "maybe"}, "expected true or false"),
    ],
)
def test_contradictions_are_refused(text: str, environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resolve_mode(settings_of(text), environ)


@pytest.mark.parametrize("text", ["", POSTGRES + "state: memory\n"])
def test_several_workers_without_redis_are_refused_with_its_name(text: str) -> None:
    settings = settings_of(text + "server: {workers: 2}")
    with pytest.raises(ConfigurationError, match=r"server\.workers: 2 workers need Redis"):
        resolve_mode(settings, {})

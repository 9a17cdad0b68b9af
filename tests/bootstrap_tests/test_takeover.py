"""What of a configuration that is read again comes into force, and what waits."""

from typing import Any

import pytest
from pydantic import BaseModel

from bootstrap.settings import Settings, parse_settings
from bootstrap.settings.takeover import FOLLOWS, NEEDS_RESTART, WHOLE, take_over


def settings(document: dict[str, Any] | None = None) -> Settings:
    return parse_settings(document or {}, environ={}).settings


def test_every_key_either_follows_a_reload_or_needs_a_restart() -> None:
    for section, field in Settings.model_fields.items():
        follows, waits = FOLLOWS.get(section, frozenset()), NEEDS_RESTART.get(section, frozenset())
        if WHOLE in (follows, waits):
            assert not (follows and waits), section
            continue
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel)
        assert follows | waits == set(field.annotation.model_fields), section
        assert not follows & waits, section


def test_nothing_differs_between_two_readings_of_one_file() -> None:
    document = {"model_list": [{"model_name": "a", "provider": {"type": "echo"}}]}

    taken = take_over(settings(document), settings(document))

    assert (taken.changed, taken.needs_restart) == ((), ())


def test_models_that_came_went_and_changed_are_named_by_their_ids() -> None:
    def model(instance_id: str, **more: object) -> dict[str, object]:
        return {"model_name": "m", "id": instance_id, "provider": {"type": "echo"}, **more}

    before = settings({"model_list": [model("a"), model("b"), model("c")]})
    after = settings({"model_list": [model("b", weight=2), model("c"), model("d")]})

    assert take_over(before, after).changed == ("model_list: -a ~b +d",)


def test_secret_that_changed_is_a_change_and_is_not_shown() -> None:
    def with_key(api_key: str) -> Settings:
        provider = {"type": "openai", "api_key": api_key}
        return settings({"model_list": [{"model_name": "m", "id": "a", "provider": provider}]})

    assert take_over(with_key("sk-one"), with_key("sk-two")).changed == ("model_list: ~a",)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"server": {"port": 1, "workers": 2}}, ("server.port", "server.workers")),
        ({"redis": {"url": "redis://h"}}, ("redis.url",)),
        ({"auth": {"key_pepper": "p" * 20}}, ("auth.key_pepper",)),
        ({"mode": "lite"}, ("mode",)),
        ({"router": {"weighted_round_robin": "local"}}, ("router.weighted_round_robin",)),
        ({"cache": {"max_bytes": 10_000_000}}, ("cache.max_bytes",)),
        ({"cache": {"max_keyed_bytes": 10_000_000}}, ("cache.max_keyed_bytes",)),
        ({"observability": {"log_format": "text"}}, ("observability.log_format",)),
    ],
)
def test_what_needs_a_restart_is_named_and_stays_as_it_was(document: dict[str, Any], named: tuple[str, ...]) -> None:
    running = settings()

    taken = take_over(running, settings(document))

    assert taken.needs_restart == named
    assert taken.changed == ()
    assert taken.settings == running


def test_what_follows_comes_into_force_beside_what_waits_in_the_same_section() -> None:
    wanted = {
        "router": {"default_timeout": "7s", "weighted_round_robin": "local"},
        "cache": {"ttl": "5s", "enabled": False},
        "observability": {"log_level": "debug", "metrics": False},
    }

    taken = take_over(settings(), settings(wanted))

    assert taken.changed == ("router.default_timeout", "cache.ttl", "observability.log_level")
    assert set(taken.needs_restart) == {"router.weighted_round_robin", "cache.enabled", "observability.metrics"}
    assert taken.settings.router.default_timeout_us == 7_000_000
    assert taken.settings.router.weighted_round_robin == "strict"
    assert (taken.settings.cache.ttl_us, taken.settings.cache.enabled) == (5_000_000, True)

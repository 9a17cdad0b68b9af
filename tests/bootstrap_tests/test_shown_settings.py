import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from bootstrap import create_app
from bootstrap.config_file import read_document
from bootstrap.settings import Settings, parse_settings
from bootstrap.settings.annotations import Section
from bootstrap.settings.masking import MASK
from bootstrap.settings.providers import PROVIDER_MODELS
from bootstrap.settings.shown import shown, shown_section
from tests.bootstrap_tests.test_example_file import EXAMPLE

CANARY = "canary-of-the-secrets"
URLS = {"redis": f"redis://u:{CANARY}@h:1", "database": f"postgresql://u:{CANARY}@h/d", "cache": f"redis://{CANARY}"}


def with_every_secret(section: type[BaseModel], url: str = "") -> dict[str, Any]:
    """What a file says so that each secret of the section is set."""
    return dict.fromkeys(secrets_of(section), url or CANARY)


def secrets_of(section: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items() if field.annotation is SecretStr]


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def everything() -> tuple[dict[str, Any], int]:
    """A document with every secret that there can be, and how many those are."""
    document: dict[str, Any] = {
        name: secrets for name, section in sections() if (secrets := with_every_secret(section, URLS.get(name, "")))
    }
    document["model_list"] = [
        {
            "model_name": name,
            "provider": {
                "type": name,
                **with_every_secret(section),
                "headers": {"x-a": CANARY, "authorization": CANARY},
            },
        }
        for name, section in PROVIDER_MODELS.items()
    ]
    own = sum(len(secrets_of(section)) for _, section in sections())
    return document, own + sum(len(secrets_of(section)) + 2 for section in PROVIDER_MODELS.values())


def masks_in(value: object) -> int:
    match value:
        case Mapping():
            return sum(masks_in(item) for item in value.values())
        case list():
            return sum(masks_in(item) for item in value)
        case _:
            return value == MASK


def test_no_secret_of_any_section_or_provider_is_shown() -> None:
    document, count = everything()

    told = shown(parse_settings(document, environ={}).settings)

    assert CANARY not in json.dumps(told)
    assert masks_in(told) == count
    assert count > 2 * len(PROVIDER_MODELS)


async def test_the_admin_api_shows_no_secret_either() -> None:
    document, count = everything()
    settings = parse_settings(document | {"mode": "lite"}, environ={}).settings
    app = create_app(settings, master_key="mg_test")

    answer = await app.test_client().get("/admin/v1/config", headers={"x-api-key": "mg_test"})

    assert answer.status_code == 200
    assert CANARY not in await answer.get_data(as_text=True)
    assert masks_in(await answer.get_json()) == count


class Forgetful(Section):
    password: str = "p"
    access_key: str = "k"
    tokens: tuple[str, ...] = ("t",)
    headers: Mapping[str, str] = {"x-api-key": "h", "accept": "a"}
    keyboard: str = "plain"
    empty_token: str = ""


def test_what_is_named_like_a_secret_is_not_shown_even_where_no_section_says_so() -> None:
    assert shown_section(Forgetful()) == {
        "password": MASK,
        "access_key": MASK,
        "tokens": [MASK],
        "headers": {"x-api-key": MASK, "accept": "a"},
        "keyboard": "plain",
        "empty_token": "",
    }


UNITS = {
    "redis": {"command_timeout": "1500ms", "connect_timeout": "0.25ms"},
    "pricing": {"unpriced_request_usd": "0.015"},
    "router": {"max_deadline": "2h", "model_fallbacks": {"m": ["n"]}},
    "model_list": [
        {"model_name": "m", "provider": {"type": "echo"}, "input_cost_per_token": "0.0000025", "timeout": 1.5},
        {"model_name": "n", "provider": {"type": "openai", "headers": {}}, "cached_input_cost_per_token": 0},
    ],
}


@pytest.mark.parametrize("document", [UNITS, read_document(EXAMPLE)])
def test_what_is_shown_is_a_configuration_that_says_the_same(document: dict[str, Any]) -> None:
    settings = parse_settings(document, environ={}).settings

    told = json.loads(json.dumps(shown(settings)))

    assert parse_settings(told, environ={}).settings == settings


def test_what_is_shown_is_in_the_units_of_the_file() -> None:
    told = shown(parse_settings(UNITS, environ={}).settings)

    assert told["redis"]["command_timeout"] == "1500ms"
    assert told["redis"]["connect_timeout"] == "0.250ms"
    assert told["router"]["max_deadline"] == "7200s"
    assert told["pricing"]["unpriced_request_usd"] == "0.015"
    assert told["model_list"][0]["input_cost_per_token"] == "0.0000025"
    assert told["server"]["max_body_bytes"] == 32 * 1024 * 1024


def test_model_that_is_built_in_is_shown_where_there_is_no_other() -> None:
    (model,) = shown(parse_settings({}, environ={}).settings)["model_list"]

    assert (model["model_name"], model["provider"]["type"]) == ("echo", "echo")

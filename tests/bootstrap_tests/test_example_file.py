"""docs/gateway.example.yaml: every key, with its default."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from bootstrap.config_file import read_document
from bootstrap.settings import BUILT_TYPES, Settings, load_settings, to_catalog
from bootstrap.settings.providers import PROVIDER_MODELS
from bootstrap.settings.schema import keys_of

EXAMPLE = Path(__file__).parents[2] / "docs" / "gateway.example.yaml"
COMMON_TO_PROVIDERS = {"model", "api_key", "base_url", "headers"}


def missing_keys(model: type[BaseModel], document: Any, path: str) -> Iterator[str]:
    for key, annotation in keys_of(model).items():
        where = f"{path}.{key}"
        if key not in document:
            yield where
        elif key == "provider":
            yield from missing_keys(PROVIDER_MODELS[document[key]["type"]], document[key], where)
        else:
            inner, value = section_in(annotation), document[key]
            if inner is not None:
                yield from missing_keys(inner, value[0] if isinstance(value, list) else value, where)


def section_in(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def test_the_example_has_every_key() -> None:
    document: Any = read_document(EXAMPLE)
    assert list(missing_keys(Settings, document, "")) == []


def test_the_check_for_every_key_sees_one_that_is_missing() -> None:
    document: Any = read_document(EXAMPLE)
    del document["router"]["circuit_breaker"]["window"]
    del document["model_list"][0]["provider"]["delay"]
    del document["routes"][0]["models"][0]["weight"]
    assert list(missing_keys(Settings, document, "")) == [
        ".router.circuit_breaker.window",
        ".model_list.provider.delay",
        ".routes.models.weight",
    ]


def test_the_example_has_the_keys_of_every_provider_type() -> None:
    document: Any = read_document(EXAMPLE)
    shown = {entry["provider"]["type"]: set(entry["provider"]) for entry in document["model_list"]}
    for kind, model in PROVIDER_MODELS.items():
        assert set(keys_of(model)) - COMMON_TO_PROVIDERS <= shown[kind]


def test_the_example_gives_every_key_its_default() -> None:
    example = load_settings(EXAMPLE, {}).settings
    default = Settings()
    for name in Settings.model_fields:
        if name not in {"model_list", "routes"}:
            assert getattr(example, name) == getattr(default, name), name
    assert example.models[0] == default.models[0]
    for section in (*example.models, *(e.provider for e in example.models), *example.routes, *example.routes[0].models):
        required = {name for name, field in type(section).model_fields.items() if field.is_required()}
        assert set(section.model_dump(exclude_defaults=True)) - {"enabled", "provider"} <= required


def test_the_example_serves_the_echo_model_without_a_warning() -> None:
    loaded = load_settings(EXAMPLE, {})
    result = to_catalog(loaded.settings, BUILT_TYPES)
    assert [provider.type for provider in result.providers.values()] == ["echo"]
    assert (*loaded.warnings, *result.warnings) == ()

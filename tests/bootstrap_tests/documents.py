from collections.abc import Mapping

import pytest

from bootstrap.config_file import parse_document
from bootstrap.settings import (
    BUILT_TYPES,
    CatalogResult,
    ConfigurationError,
    Loaded,
    Settings,
    parse_settings,
    to_catalog,
)


def load(text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    return parse_settings(parse_document(text, "test.yaml"), environ or {})


def settings_of(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    return load(text, environ).settings


def catalog_of(text: str, environ: Mapping[str, str] | None = None) -> CatalogResult:
    return to_catalog(settings_of(text, environ), BUILT_TYPES)


def errors_in(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, environ)
    return list(caught.value.lines)

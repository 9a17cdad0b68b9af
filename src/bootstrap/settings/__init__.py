from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings.catalog import CatalogResult, to_catalog
from bootstrap.settings.loading import Loaded, load_settings, parse_settings
from bootstrap.settings.mode import (
    Mode,
    ModeDecision,
    names_postgres,
    resolve_mode,
)
from bootstrap.settings.providers import BUILT_TYPES, AnyProviderSettings
from bootstrap.settings.root import Settings

__all__ = [
    "BUILT_TYPES",
    "AnyProviderSettings",
    "CatalogResult",
    "ConfigurationError",
    "Loaded",
    "Mode",
    "ModeDecision",
    "Settings",
    "load_settings",
    "names_postgres",
    "parse_settings",
    "resolve_mode",
    "to_catalog",
]

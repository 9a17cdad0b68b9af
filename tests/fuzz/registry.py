"""All targets by name."""

from types import MappingProxyType
from typing import Final

from tests.fuzz.targets.kept import KEPT_TARGETS
from tests.fuzz.targets.providers import provider_targets
from tests.fuzz.targets.requests import REQUEST_TARGETS
from tests.fuzz.targets.wire import WIRE_TARGETS

TARGETS: Final = MappingProxyType({**WIRE_TARGETS, **REQUEST_TARGETS, **provider_targets(), **KEPT_TARGETS})

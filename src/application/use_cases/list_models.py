from collections.abc import Iterator
from dataclasses import dataclass

from application.errors import ModelNotAllowed, model_not_found
from application.ports.catalog_source import CatalogSource
from domain.callers import Caller
from domain.catalog import Catalog


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model, alias or route as clients see it. `created` is in seconds since the epoch."""

    id: str
    created: int
    owned_by: str


@dataclass(frozen=True, slots=True)
class ListModels:
    """What a caller may ask for: models, aliases and routes. `created_s` is when this gateway started."""

    catalog_source: CatalogSource
    created_s: int

    def __call__(self, caller: Caller) -> list[ModelCard]:
        """All of them, in configured order."""
        catalog, _ = self.catalog_source.current()
        return [ModelCard(name, self.created_s, owner) for name, owner in _names(catalog) if caller.may_use(name)]

    def find(self, caller: Caller, model_id: str) -> ModelCard:
        """One of them.

        Raises:
            ModelNotFound: There is none of that name.
            ModelNotAllowed: There is, but not for this caller.
        """
        catalog, _ = self.catalog_source.current()
        owner = dict(_names(catalog)).get(model_id)
        if owner is None:
            raise model_not_found(model_id)
        if not caller.may_use(model_id):
            raise ModelNotAllowed(f"this key may not use the model {model_id!r}", param="model")
        return ModelCard(model_id, self.created_s, owner)


def _names(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for model, instances in catalog.instances.items():
        yield model, instances[0].provider if instances else "moongate"
    for alias, model in catalog.aliases.items():
        instances = catalog.instances[model]
        yield alias, instances[0].provider if instances else "moongate"
    for slug, route in catalog.routes.items():
        if route.enabled:
            yield slug, "moongate"

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from application.errors import ModelNotAllowed, model_not_found
from application.ports.catalog_source import CatalogSource
from domain.callers import Caller
from domain.catalog import Catalog, Instance
from domain.chat import Endpoint


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model, alias or route as clients see it.

    Attributes:
        created: In seconds since the epoch.
        capabilities: Endpoints that some instance behind it serves.
        supported_parameters: Fields of a chat request that the provider of every instance behind it honours.
        context_window: Tokens of prompt and answer that every instance behind it has room for; None where unknown.
        max_output_tokens: The longest answer that all of them give; None where unknown.
    """

    id: str
    created: int
    owned_by: str
    capabilities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    context_window: int | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ListModels:
    """What a caller may ask for: models, aliases and routes. `created_s` is when this gateway started."""

    catalog_source: CatalogSource
    created_s: int

    def __call__(self, caller: Caller) -> list[ModelCard]:
        """All of them, in configured order."""
        catalog, _ = self.catalog_source.current()
        return [self._card(entry) for entry in _entries(catalog) if caller.may_use(entry.name)]

    def find(self, caller: Caller, model_id: str) -> ModelCard:
        """One of them.

        Raises:
            ModelNotFound: There is none of that name.
            ModelNotAllowed: There is, but not for this caller.
        """
        catalog, _ = self.catalog_source.current()
        entry = next((one for one in _entries(catalog) if one.name == model_id), None)
        if entry is None:
            raise model_not_found(model_id)
        if not caller.may_use(model_id):
            raise ModelNotAllowed(f"this key may not use the model {model_id!r}", param="model")
        return self._card(entry)

    def _card(self, entry: "_Entry") -> ModelCard:
        behind = [instance for instance in entry.behind if instance.enabled]
        served = frozenset[Endpoint]().union(*(instance.supports for instance in behind))
        chatting = [instance.parameters for instance in behind if Endpoint.CHAT in instance.supports]
        return ModelCard(
            entry.name,
            self.created_s,
            entry.owner,
            tuple(endpoint.value for endpoint in Endpoint if endpoint in served),
            tuple(sorted(chatting[0].intersection(*chatting))) if chatting else (),
            _least([instance.context_window for instance in behind]),
            _least([instance.max_output_tokens for instance in behind]),
        )


class _Entry(NamedTuple):
    name: str
    owner: str
    behind: Sequence[Instance]


def _least(known: Sequence[int | None]) -> int | None:
    """Of all; None where one of them is not known."""
    return None if not known or None in known else min(filter(None, known), default=None)


def _entries(catalog: Catalog) -> Iterator[_Entry]:
    for model, instances in catalog.instances.items():
        yield _Entry(model, instances[0].provider if instances else "moongate", instances)
    for alias, model in catalog.aliases.items():
        instances = catalog.instances[model]
        yield _Entry(alias, instances[0].provider if instances else "moongate", instances)
    for slug, route in catalog.routes.items():
        if route.enabled:
            behind = [one for member in route.models for one in catalog.instances[member.model_name]]
            yield _Entry(slug, "moongate", behind)

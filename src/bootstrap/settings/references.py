"""What names in a configuration refer to: aliases followed to their models."""

from collections.abc import Mapping, Sequence

from domain.catalog import CatalogError, refuse_cycles
from domain.identifiers import ModelName

Graph = dict[ModelName, tuple[ModelName, ...]]


def follow(name: str, aliases: Mapping[str, str]) -> ModelName:
    """The model that `name` stands for, through any number of aliases. Ends in a cycle too, anywhere in it."""
    seen: set[str] = set()
    while name in aliases and name not in seen:
        seen.add(name)
        name = aliases[name]
    return ModelName(name)


def fallback_graph(table: Mapping[str, Sequence[str]], aliases: Mapping[str, str]) -> Graph:
    """Fallbacks between models, no name twice in a list."""
    graph: Graph = {}
    for name, targets in table.items():
        model = follow(name, aliases)
        followed = (*graph.get(model, ()), *(follow(target, aliases) for target in targets))
        graph[model] = tuple(dict.fromkeys(followed))
    return graph


def cycle_in(graph: Mapping[ModelName, tuple[ModelName, ...]], what: str) -> str | None:
    """One line that names a cycle; None where there is none."""
    try:
        refuse_cycles(graph, what)
    except CatalogError as error:
        return str(error)
    return None

"""What a model's card says of the instances behind it."""

from dataclasses import replace

import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from application.errors import ModelNotAllowed, ModelNotFound
from application.use_cases.list_models import ListModels
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance, Route, RouteModel, RouterPolicy
from domain.chat import Endpoint
from domain.identifiers import InstanceId, ModelName, RouteSlug
from domain.routing.strategy import StrategyName

WIDE = Instance(InstanceId("wide"), ModelName("m"), "openai", "up", context_window=8_000, max_output_tokens=400)
NARROW = replace(WIDE, id=InstanceId("narrow"), context_window=4_000, supports=frozenset({Endpoint.CHAT}))
OTHER = replace(WIDE, id=InstanceId("other"), model_name=ModelName("o"), supports=frozenset({Endpoint.RERANK}))
ROUTE = Route(RouteSlug("r"), "R", StrategyName.PRIORITY, (RouteModel(ModelName("m")), RouteModel(ModelName("o"))))
MASTER = Caller(CallerKind.MASTER, "master")


def listing(*instances: Instance) -> ListModels:
    by_model: dict[ModelName, tuple[Instance, ...]] = {}
    for one in instances:
        by_model[one.model_name] = (*by_model.get(one.model_name, ()), one)
    routes = {RouteSlug("r"): ROUTE} if len(by_model) > 1 else {}
    catalog = Catalog(by_model, aliases={"a": ModelName("m")}, routes=routes)
    return ListModels(MemoryCatalogSource(catalog, RouterPolicy()), 7)


def test_card_tells_what_some_instance_serves_and_what_all_have_room_for() -> None:
    card = listing(replace(WIDE, supports=frozenset({Endpoint.EMBEDDINGS})), NARROW).find(MASTER, "m")

    assert (card.capabilities, card.context_window, card.max_output_tokens) == (("chat", "embeddings"), 4_000, 400)
    assert (card.id, card.created, card.owned_by) == ("m", 7, "openai")


def test_card_tells_the_parameters_that_all_who_chat_honour() -> None:
    chats = replace(WIDE, parameters=frozenset({"tools", "stop", "n"}))
    also = replace(NARROW, parameters=frozenset({"tools", "stop", "seed"}))
    embeds = replace(NARROW, id=InstanceId("embeds"), supports=frozenset({Endpoint.EMBEDDINGS}))

    assert listing(chats, also, embeds).find(MASTER, "m").supported_parameters == ("stop", "tools")
    assert listing(embeds).find(MASTER, "m").supported_parameters == ()


def test_card_counts_neither_disabled_instances_nor_a_window_that_one_does_not_tell() -> None:
    off = replace(NARROW, id=InstanceId("off"), enabled=False)
    silent = replace(NARROW, id=InstanceId("silent"), context_window=None)

    assert listing(WIDE, off).find(MASTER, "m").context_window == 8_000
    assert listing(WIDE, silent).find(MASTER, "m").context_window is None


def test_alias_and_route_have_cards_of_what_is_behind_them() -> None:
    cards = {card.id: card for card in listing(NARROW, OTHER)(MASTER)}

    assert cards["a"].capabilities == ("chat",)
    assert cards["r"].capabilities == ("chat", "rerank")
    assert cards["r"].owned_by == "moongate"


def test_what_is_unknown_or_not_allowed_has_no_card() -> None:
    models = listing(WIDE)
    narrow = Caller(CallerKind.KEY, "k", models=frozenset({"other"}))

    with pytest.raises(ModelNotFound):
        models.find(MASTER, "nope")
    with pytest.raises(ModelNotAllowed):
        models.find(narrow, "m")
    assert models(narrow) == []

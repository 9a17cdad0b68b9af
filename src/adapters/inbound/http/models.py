"""The models, aliases and routes that a caller may use."""

import json

from quart import Blueprint

from adapters.inbound.http.exchange import Outgoing, incoming
from adapters.inbound.http.use_cases import FindModel, ListModels
from application.use_cases.list_models import ModelCard

_JSON = (("content-type", "application/json"),)


def models_blueprint(list_models: ListModels, find_model: FindModel) -> Blueprint:
    """`GET /v1/models` and `GET /v1/models/{id}`, also without /v1. Ids may hold slashes."""
    blueprint = Blueprint("models", __name__)

    async def every() -> Outgoing:
        cards = list_models(incoming().known_caller)
        return _json({"object": "list", "data": [_card(card) for card in cards]})

    async def one(model: str) -> Outgoing:
        return _json(_card(find_model(incoming().known_caller, model)))

    for prefix in ("/v1", ""):
        blueprint.add_url_rule(f"{prefix}/models", "every", every, methods=["GET"])
        blueprint.add_url_rule(f"{prefix}/models/<path:model>", "one", one, methods=["GET"])
    return blueprint


def _card(card: ModelCard) -> dict[str, object]:
    return {"id": card.id, "object": "model", "created": card.created, "owned_by": card.owned_by}


def _json(document: object) -> Outgoing:
    return Outgoing(200, _JSON, json.dumps(document, separators=(",", ":")).encode())

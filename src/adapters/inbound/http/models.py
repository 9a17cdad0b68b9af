"""The models, aliases and routes that a caller may use."""

import json
from collections.abc import Sequence

from quart import Blueprint

from adapters.inbound.http.exchange import Outgoing, incoming
from adapters.inbound.http.limit_headers import limit_headers
from adapters.inbound.http.use_cases import FindModel, ListModels, PassBy
from application.use_cases.list_models import ModelCard
from domain.callers import Caller
from domain.limits.admission import Standing

_JSON = (("content-type", "application/json"),)


def models_blueprint(list_models: ListModels, find_model: FindModel, pass_by: PassBy) -> Blueprint:
    """`GET /v1/models` and `GET /v1/models/{id}`, also without /v1. Ids may hold slashes.

    They count against the caller's requests per minute.
    """
    blueprint = Blueprint("models", __name__)

    async def every() -> Outgoing:
        caller, standings = await _let_in()
        cards = list_models(caller)
        return _json({"object": "list", "data": [_card(card) for card in cards]}, standings)

    async def one(model: str) -> Outgoing:
        caller, standings = await _let_in()
        return _json(_card(find_model(caller, model)), standings)

    async def _let_in() -> tuple[Caller, Sequence[Standing]]:
        request = incoming()
        return request.known_caller, await pass_by(request.request_id, request.known_caller)

    for prefix in ("/v1", ""):
        blueprint.add_url_rule(f"{prefix}/models", "every", every, methods=["GET"])
        blueprint.add_url_rule(f"{prefix}/models/<path:model>", "one", one, methods=["GET"])
    return blueprint


def _card(card: ModelCard) -> dict[str, object]:
    told = {"id": card.id, "object": "model", "created": card.created, "owned_by": card.owned_by}
    known = {
        "supported_parameters": card.supported_parameters or None,
        "context_window": card.context_window,
        "max_output_tokens": card.max_output_tokens,
    }
    known = {name: value for name, value in known.items() if value is not None}
    return {**told, "capabilities": card.capabilities, **known}


def _json(document: object, standings: Sequence[Standing]) -> Outgoing:
    return Outgoing(200, (*_JSON, *limit_headers(standings)), json.dumps(document, separators=(",", ":")).encode())

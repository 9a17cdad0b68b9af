"""The Quart application."""

import logging

from quart import Quart, Request, Response, signals
from quart.ctx import AppContext, RequestContext
from quart.typing import ResponseTypes
from quart.wrappers.base import BaseRequestWebsocket
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed
from werkzeug.exceptions import NotFound as WerkzeugNotFound
from werkzeug.routing import MapAdapter

from adapters.inbound.http.admin.blueprint import AdminApi, admin_blueprint
from adapters.inbound.http.anthropic_errors import shaped_answer
from adapters.inbound.http.asgi import GatewayConnection
from adapters.inbound.http.docs import docs_blueprint
from adapters.inbound.http.errors import InternalError, MethodNotAllowed, NotFound
from adapters.inbound.http.exchange import Incoming, Outgoing, incoming
from adapters.inbound.http.forwarded import forwarded_blueprint
from adapters.inbound.http.front_door import FrontDoor
from adapters.inbound.http.lean_context import LeanContext
from adapters.inbound.http.llm import llm_blueprint
from adapters.inbound.http.models import models_blueprint
from adapters.inbound.http.operations import operations_blueprint
from adapters.inbound.http.use_cases import (
    CheckReadiness,
    Complete,
    FindModel,
    ListModels,
    PassBy,
    ProcessFacts,
    Scrape,
    Stream,
)
from adapters.inbound.http.websockets import NoWebsockets
from application.errors import GatewayError

_log = logging.getLogger(__name__)


_SIGNALS = (
    signals.appcontext_pushed,
    signals.appcontext_popped,
    signals.appcontext_tearing_down,
    signals.request_started,
    signals.request_finished,
    signals.request_tearing_down,
)


class GatewayApp(Quart):
    """Quart with the gateway's front door, and without what no request here uses."""

    asgi_http_class = GatewayConnection
    asgi_websocket_class = NoWebsockets
    request_class = Incoming  # type: ignore[assignment]  # made by GatewayConnection, which knows what it takes

    def __init__(self, front_door: FrontDoor) -> None:
        super().__init__("moongate", static_folder=None, template_folder=None)
        self.front_door = front_door
        # A redirect would carry the client's own Host header back to it.
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = False

        self._shared_context = AppContext(self)

    def request_context(self, request: Request) -> RequestContext:
        """As Quart's, but the lean one while nothing is hooked into contexts."""
        if self._is_hooked():
            return super().request_context(request)
        return LeanContext(self, request, self._shared_context)

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        """Routes by method and path alone: no Host header takes part, and none is parsed."""
        if request is None:
            return None
        return self._routing(request.scope["path"], request.method)

    def misrouted(self, path: str, method: str) -> GatewayError | None:
        """Why nothing can answer there: an unknown path, or a method that it does not have; None where all is well."""
        try:
            self._routing(path, method).match()
        except HTTPException as error:
            return routing_error(error, method)
        return None

    def _routing(self, path: str, method: str) -> MapAdapter:
        # Werkzeug drops slashes in front, unlike the rules of a proxy in front of us: with two, a path leads nowhere.
        literal = f"/.{path}" if path.startswith("//") else path
        return MapAdapter(self.url_map, "moongate", "/", "", "http", literal, method)

    async def full_dispatch_request(self, request_context: RequestContext | None = None) -> ResponseTypes:
        """As Quart's, but straight to the view and back while nothing is hooked in between."""
        if self._is_hooked():
            return await super().full_dispatch_request(request_context)
        try:
            result = await self.dispatch_request(request_context)
        except Exception as error:  # noqa: BLE001 - Quart's own handlers decide, by class
            result = await self.handle_user_exception(error)  # type: ignore[assignment]
        return result if isinstance(result, Response) else await self.make_response(result)

    def _is_hooked(self) -> bool:
        return bool(
            self.before_request_funcs
            or self.after_request_funcs
            or self.url_value_preprocessors
            or self.teardown_request_funcs
            or self.teardown_appcontext_funcs
            or any(signal.receivers for signal in _SIGNALS)
        )


def create_http_app(
    front_door: FrontDoor,
    *,
    complete: Complete,
    stream: Stream,
    list_models: ListModels,
    find_model: FindModel,
    pass_by: PassBy,
    check_readiness: CheckReadiness,
    admin: AdminApi,
    facts: ProcessFacts,
    scrape: Scrape | None = None,
) -> GatewayApp:
    """The application with all its endpoints. It owns nothing: starting and stopping is the caller's."""
    app = GatewayApp(front_door)
    for blueprint in (
        llm_blueprint(complete, stream),
        forwarded_blueprint(complete, stream),
        models_blueprint(list_models, find_model, pass_by),
        operations_blueprint(check_readiness, facts, scrape),
        admin_blueprint(admin),
        docs_blueprint(admin.routes, facts.version),
    ):
        app.register_blueprint(blueprint)
    app.register_error_handler(GatewayError, _answer_gateway_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(Exception, _answer_defect)
    return app


def routing_error(error: HTTPException, method: str) -> GatewayError | None:
    """Routing's exception as one of ours; None where it is something else."""
    match error:
        case WerkzeugMethodNotAllowed():
            methods = error.valid_methods or ()
            told = f"{method} is not allowed here: use {', '.join(sorted(methods))}."
            return MethodNotAllowed(told, allowed=methods)
        case WerkzeugNotFound():
            return NotFound("There is nothing at this path.")
        case _:
            return None


async def _answer_gateway_error(error: GatewayError) -> Outgoing:
    request = incoming()
    answer = shaped_answer(error, request.path, request.request_id)
    return Outgoing(answer.status, answer.headers, answer.body, answer.code)


async def _answer_http_exception(error: HTTPException) -> Outgoing:
    """Routing's own exceptions, in the shape of all others."""
    ours = routing_error(error, incoming().method)
    return await (_answer_defect(error) if ours is None else _answer_gateway_error(ours))


async def _answer_defect(error: Exception) -> Outgoing:
    _log.error("request %s failed", incoming().request_id, exc_info=error)
    return await _answer_gateway_error(InternalError())

from types import MappingProxyType

from application.billing.bill import Bill
from application.billing.journaling import Journaling
from application.billing.quoting import Quoting
from application.gateway_request import GatewayRequest
from application.journey import Journey
from application.spending.spends import Spends
from domain.callers import CallerKind
from domain.catalog import Instance
from domain.chat import Endpoint
from domain.identifiers import RouteSlug
from domain.routing.decision import AttemptTrace
from domain.usage_record import UsageIntent

PATHS = MappingProxyType(
    {
        Endpoint.CHAT: "/v1/chat/completions",
        Endpoint.COMPLETIONS: "/v1/completions",
        Endpoint.EMBEDDINGS: "/v1/embeddings",
        Endpoint.MESSAGES: "/v1/messages",
        Endpoint.COUNT_TOKENS: "/v1/messages/count_tokens",
        Endpoint.RESPONSES: "/v1/responses",
        Endpoint.MODERATIONS: "/v1/moderations",
        Endpoint.IMAGES: "/v1/images/generations",
        Endpoint.TRANSCRIPTIONS: "/v1/audio/transcriptions",
        Endpoint.TRANSLATIONS: "/v1/audio/translations",
        Endpoint.SPEECH: "/v1/audio/speech",
        Endpoint.RERANK: "/v1/rerank",
    }
)


class Billing:
    """Opens a bill for each attempt, which is in the journal before anything is sent."""

    def __init__(self, quoting: Quoting, journaling: Journaling, spends: Spends) -> None:
        self._quoting = quoting
        self._journaling = journaling
        self._spends = spends

    def maximum_to_send(self, request: GatewayRequest, instance: Instance) -> int | None:
        """The maximum of output tokens to send along with an attempt; None for none."""
        return self._quoting.maximum_to_send(request, instance)

    def open(self, journey: Journey, instance: Instance, trace: AttemptTrace) -> Bill:
        """The bill of the attempt that `trace` tells of. It takes over what was reserved for it.

        Raises:
            StateUnavailable: Its usage can't be written down, and a hard budget depends on it.
        """
        request, caller = journey.request, journey.request.caller
        price = self._quoting.price_of(instance)
        estimate = self._quoting.estimate(request, instance, price)
        intent = UsageIntent(
            request_id=request.request_id,
            attempt=trace.number,
            # A period's sum in the ledger is of those that reserved in it.
            at_us=trace.started_us if journey.reservation is None else journey.reserved_us,
            model_asked=request.llm.model,
            account=caller.account,
            method="POST",
            path=PATHS[request.llm.endpoint],
            client_request_id=request.client_request_id,
            route=None if journey.trace.route is None else RouteSlug(journey.trace.route),
            model_used=instance.upstream_model,
            instance_id=instance.id,
            provider=instance.provider,
            stream=request.llm.stream,
            input_tokens=estimate.input_tokens,
            output_tokens=estimate.output_tokens,
            cost_nano=estimate.cost_nano,
            user_id=caller.user_id,
            team_id=caller.team_id,
            key_id=caller.id if caller.kind is CallerKind.KEY else None,
            tags=tuple(sorted(request.tags)),
            first=not journey.is_billed,
        )
        self._journaling.intent(intent, must=caller.has_hard_budget)
        reserved, journey.reservation, journey.is_billed = journey.reservation, None, True
        return Bill(
            intent,
            journey,
            price,
            None if reserved is None else reserved.attempt_id,
            quoting=self._quoting,
            journaling=self._journaling,
            spends=self._spends,
        )

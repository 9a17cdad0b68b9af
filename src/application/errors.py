"""Every error a use case may raise.

    GatewayError
    ├── NotAuthenticated
    ├── InvalidRequest
    │   ├── RequestExceedsLimit
    │   └── UnsupportedOperation
    ├── ModelNotFound
    ├── ModelNotAllowed
    ├── UnpricedModel
    ├── InstanceNotFound
    ├── NotPermitted
    ├── ItemNotFound
    ├── AlreadyExists
    ├── Conflict
    ├── InUse
    ├── RateLimited
    ├── BudgetExceeded
    ├── NoInstanceAvailable
    ├── CacheMiss
    ├── DeadlineExceeded
    ├── IdempotencyInUse
    ├── IdempotencyMismatch
    ├── StateUnavailable
    └── UpstreamError
        ├── UpstreamRefused      the provider's 4xx about the request
        ├── UpstreamRateLimited  every attempt was a 429
        ├── UpstreamFailed       every attempt failed
        └── StreamBroken         after content was sent

Messages are for the client: what was expected, what was found, what to do. They hold no credential, no stack and
no internal address.
"""

from domain.failure import Failure
from domain.limits.admission import Standing
from domain.routing.decision import DecisionTrace

_SHOWN_CHARACTERS = 200


class GatewayError(Exception):
    """Something the client is told.

    Attributes:
        trace: The story so far, where there is one.
        decided_alone: By this gateway, without the shared state.
        limits: How the limit that refused stands.
        lacked_time: With a later deadline more would have been tried.
    """

    def __init__(self, message: str, *, param: str | None = None, trace: DecisionTrace | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.trace = trace
        self.decided_alone = False
        self.limits: tuple[Standing, ...] = ()
        self.lacked_time = False


class NotAuthenticated(GatewayError):
    """The credential is absent, unknown, revoked or expired."""


class InvalidRequest(GatewayError):
    """A field is missing, of the wrong type or out of bounds; `param` names it."""


class RequestExceedsLimit(InvalidRequest):
    """The request can never fit a token limit: waiting will not help."""


class UnsupportedOperation(InvalidRequest):
    """The model's providers cannot do this; the message names them."""


class ModelNotFound(GatewayError):
    """No such model, alias or route."""


def model_not_found(name: str) -> ModelNotFound:
    """The error for a name that nothing has; what is long of it is not sent back."""
    shown = name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "…"
    return ModelNotFound(f"the model {shown!r} does not exist; GET /v1/models lists those that do", param="model")


class ModelNotAllowed(GatewayError):
    """The caller may not use this model."""


def model_not_allowed(name: str) -> ModelNotAllowed:
    """The error for a name that the caller's key leaves out."""
    return ModelNotAllowed(f"this key may not use the model {name!r}", param="model")


class UnpricedModel(GatewayError):
    """Nobody has a price for this model, and the configuration wants one."""


class InstanceNotFound(GatewayError):
    """No instance of the configuration has this id."""


class NotPermitted(GatewayError):
    """The caller is known and may not do this."""


class ItemNotFound(GatewayError):
    """There is no such team, user, key, budget or the like, or the caller may not know of it."""


class AlreadyExists(GatewayError):
    """There is one of that name; `param` names the field that must differ."""


class Conflict(GatewayError):
    """It was changed meanwhile, or is in a state that does not allow this. Nothing was changed."""


class InUse(GatewayError):
    """Something else still refers to it. Nothing was changed."""


class RateLimited(GatewayError):
    """The caller is over a limit of its own. After `retry_after_us` one more is admitted, if nobody comes before."""

    def __init__(self, message: str, *, retry_after_us: int, trace: DecisionTrace | None = None) -> None:
        super().__init__(message, trace=trace)
        self.retry_after_us = retry_after_us


class BudgetExceeded(GatewayError):
    """A hard budget of the caller does not allow the request. It names the budget, its period and when that ends."""


class NoInstanceAvailable(GatewayError):
    """Nothing can be selected now. `retry_after_us` is when that may change."""

    def __init__(self, message: str, *, retry_after_us: int, trace: DecisionTrace | None = None) -> None:
        super().__init__(message, trace=trace)
        self.retry_after_us = retry_after_us


class DeadlineExceeded(GatewayError):
    """The deadline passed, or every attempt timed out."""


class CacheMiss(GatewayError):
    """No reply is stored, and the caller wants no other."""


class IdempotencyInUse(GatewayError):
    """The first request with this `Idempotency-Key` is still running."""


class IdempotencyMismatch(GatewayError):
    """This `Idempotency-Key` belongs to another request."""


class StateUnavailable(GatewayError):
    """A store that this request needs is down and its policy is closed."""


class UpstreamError(GatewayError):
    """A provider's failure; `failure` is the last attempt's, or the one that tells most."""

    def __init__(self, message: str, *, failure: Failure, trace: DecisionTrace | None = None) -> None:
        super().__init__(message, param=failure.param, trace=trace)
        self.failure = failure


class UpstreamRefused(UpstreamError):
    """The provider says 4xx about the request itself: its status and message are the answer."""


class UpstreamRateLimited(UpstreamError):
    """Every attempt was answered 429; `failure.retry_after_us` is the smallest."""


class UpstreamFailed(UpstreamError):
    """Every attempt failed on the provider's side."""


class StreamBroken(UpstreamError):
    """The stream failed after its first content: it ends with this error and without its terminator."""

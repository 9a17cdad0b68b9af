"""The limits that hold for every caller without limits of its own."""

from collections.abc import Callable, Sequence
from typing import Protocol

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Schema
from application.degrading.store_failure import OnStoreFailure
from domain.chat import Endpoint
from domain.limits.limit import Algorithm
from domain.limits.rate_policy import RatePolicy
from domain.principal import Permission


class EndpointLimit(Schema):
    """Requests per minute of one caller to an endpoint; null: no limit.

    With `own_count` false, the endpoint shares one count with all others without a limit of their own.
    """

    endpoint: Endpoint
    rpm: int | None
    own_count: bool


class LimitsShown(Schema):
    """Limits in force, as configured. Keys, members, users and teams can have others: see those."""

    enabled: bool
    algorithm: Algorithm
    on_store_failure: OnStoreFailure
    global_rpm: int | None
    endpoints: Sequence[EndpointLimit]


class ConfiguredLimits(Protocol):
    """What the configuration says of limits."""

    @property
    def enabled(self) -> bool: ...

    @property
    def policy(self) -> RatePolicy: ...

    @property
    def failure_policy(self) -> OnStoreFailure: ...


def limit_routes(configured: Callable[[], ConfiguredLimits]) -> tuple[AnyRoute, ...]:
    """`GET /limits`. `configured` tells what is in force now."""

    async def limits(_asked: Asked[NoFields, NoFields]) -> LimitsShown:
        now = configured()
        policy = now.policy
        return LimitsShown(
            enabled=now.enabled,
            algorithm=policy.algorithm,
            on_store_failure=now.failure_policy,
            global_rpm=policy.everywhere,
            endpoints=[_endpoint(policy, endpoint) for endpoint in Endpoint],
        )

    return (
        Route(
            method=Method.GET,
            path="/limits",
            permission=Permission.SEE_GATEWAY,
            summary="The limits of every caller without limits of its own",
            handler=limits,
            response=LimitsShown,
        ),
    )


def _endpoint(policy: RatePolicy, endpoint: Endpoint) -> EndpointLimit:
    own = policy.own_of(endpoint)
    return EndpointLimit(endpoint=endpoint, rpm=policy.everywhere if own is None else own, own_count=own is not None)

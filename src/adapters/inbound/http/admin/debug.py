"""What an operator may want to see for a while, and nobody otherwise."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Schema
from adapters.inbound.http.admin.wire import ItemId, TimeOut
from application.debug_bodies import LONGEST_S, BodiesWanted, DebugBodies
from domain.durations import SECOND_US
from domain.principal import Permission

_PATH = "/debug/bodies"
_Plain = Asked[NoFields, NoFields]


class BodiesIn(Schema):
    """For how long, and of which key; without one of all callers."""

    seconds: Annotated[int, Field(ge=1, le=LONGEST_S)]
    key_id: ItemId | None = None


class BodiesShown(Schema):
    """Until when bodies are logged, and of which key; `until` is null where they are not."""

    until: TimeOut | None
    key_id: str | None


@dataclass(frozen=True, slots=True)
class _Handlers:
    switch: DebugBodies

    async def show(self, _asked: _Plain) -> BodiesShown:
        return _shown(self.switch.current)

    async def begin(self, asked: Asked[BodiesIn, NoFields]) -> BodiesShown:
        body = asked.body
        return _shown(await self.switch.begin(asked.principal, body.seconds * SECOND_US, body.key_id))

    async def end(self, asked: _Plain) -> None:
        await self.switch.end(asked.principal)


def debug_routes(switch: DebugBodies) -> tuple[AnyRoute, ...]:
    """`/debug/bodies`."""
    h = _Handlers(switch)
    see, change = Permission.SEE_GATEWAY, Permission.CHANGE_GATEWAY
    return (
        Route(Method.GET, _PATH, see, "Whether bodies of requests are logged now", h.show, BodiesShown),
        Route(Method.POST, _PATH, change, "Log bodies of requests for a while", h.begin, BodiesShown, request=BodiesIn),
        Route(Method.DELETE, _PATH, change, "Log no bodies any more", h.end, None, status=204),
    )


def _shown(wanted: BodiesWanted | None) -> BodiesShown:
    if wanted is None:
        return BodiesShown(until=None, key_id=None)
    return BodiesShown(until=wanted.until_us, key_id=wanted.key_id)

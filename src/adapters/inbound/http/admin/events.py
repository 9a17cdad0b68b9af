"""What happened lately."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, Query, Schema
from adapters.inbound.http.admin.wire import TimeOut
from application.ports.event_history import EventHistory
from domain.event_record import EventStream
from domain.pages import MOST_ITEMS
from domain.principal import Permission


class EventShown(Schema):
    """One event. `fields` depend on the kind; money in them is in nano-dollars."""

    kind: str
    at: TimeOut
    fields: Mapping[str, str]


class EventList(Listing[EventShown]):
    """The latest events of a stream, the latest first. There are no further pages."""


class EventQuery(Query):
    """Of which stream, and how many."""

    stream: EventStream
    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = 100


def event_routes(history: EventHistory) -> tuple[AnyRoute, ...]:
    """`GET /events`."""

    async def every(asked: Asked[NoFields, EventQuery]) -> EventList:
        found = await history.last(asked.query.stream, asked.query.limit)
        shown = [EventShown(kind=event.kind, at=event.at_us, fields=dict(event.fields)) for event in found]
        return EventList(data=shown, next=None)

    return (
        Route(
            method=Method.GET,
            path="/events",
            permission=Permission.SEE_GATEWAY,
            summary="What happened lately to circuits, budgets or usage",
            handler=every,
            query=EventQuery,
            response=EventList,
        ),
    )

"""Usage records that the ledger refused."""

from base64 import b64encode
from dataclasses import dataclass

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Schema
from adapters.inbound.http.admin.usage_record_shown import UsageRecordShown, shown_record
from adapters.inbound.http.admin.wire import TimeOut
from application.use_cases.admin.dead_letters import AdministerDeadLetters
from domain.principal import Permission
from domain.usage_record import UsageRecord
from domain.usage_stream import DeadLetter

_PATH = "/dlq/{record_id:path}"


class DeadLetterShown(Schema):
    """A record, why the ledger refused it, and after how many deliveries.

    `record` is null where the bytes are none; `payload_base64` holds them then.
    """

    id: str
    error: str
    deliveries: int
    died_at: TimeOut
    record: UsageRecordShown | None
    payload_base64: str | None


class DeadLetterList(Listing[DeadLetterShown]):
    """Dead letters, the oldest first."""


@dataclass(frozen=True, slots=True)
class _Handlers:
    letters: AdministerDeadLetters

    async def every(self, asked: Asked[NoFields, PageQuery]) -> DeadLetterList:
        page = await self.letters.list(asked.query.limit, asked.query.after)
        return DeadLetterList(data=[_shown(letter) for letter in page.items], next=page.next)

    async def replay(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.letters.replay(asked.principal, asked.path["record_id"])

    async def discard(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.letters.discard(asked.principal, asked.path["record_id"])


def dead_letter_routes(letters: AdministerDeadLetters) -> tuple[AnyRoute, ...]:
    """`GET /dlq`, `POST /dlq/{record_id}/replay` and `DELETE /dlq/{record_id}`."""
    handlers = _Handlers(letters)
    return (
        Route(
            method=Method.GET,
            path="/dlq",
            permission=Permission.SEE_GATEWAY,
            summary="Usage records that the ledger refused",
            handler=handlers.every,
            query=PageQuery,
            response=DeadLetterList,
        ),
        Route(
            method=Method.POST,
            path=f"{_PATH}/replay",
            permission=Permission.CHANGE_GATEWAY,
            summary="Send a dead letter to the ledger again",
            handler=handlers.replay,
            response=None,
            status=204,
        ),
        Route(
            method=Method.DELETE,
            path=_PATH,
            permission=Permission.CHANGE_GATEWAY,
            summary="Give a dead letter up: its usage will never be in the ledger",
            handler=handlers.discard,
            response=None,
            status=204,
        ),
    )


def _shown(letter: DeadLetter) -> DeadLetterShown:
    try:
        record = shown_record(UsageRecord.from_bytes(letter.record))
    except ValueError:
        record = None
    return DeadLetterShown(
        id=letter.id,
        error=letter.error,
        deliveries=letter.deliveries,
        died_at=letter.died_us,
        record=record,
        payload_base64=None if record is not None else b64encode(letter.record).decode(),
    )

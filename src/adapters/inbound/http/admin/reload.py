"""Reading the configuration again."""

import json
from collections.abc import Awaitable, Callable, Sequence

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, Schema
from adapters.inbound.http.use_cases import Note
from application.reloads import Reload
from domain.audit import Deed
from domain.principal import Permission

ReloadEverywhere = Callable[[], Awaitable[tuple[Reload, bool]]]


class ReloadAnswer(Schema):
    """A configuration that was good, and how it differs from the one before. One that is not is answered 409.

    `applied`: it is in force. False where several workers serve: the file is good, and all of them have been told.
    `needs_restart` names what differs and stays as it was until then.
    """

    applied: bool
    changed: Sequence[str]
    needs_restart: Sequence[str]
    warnings: Sequence[str]


def reload_routes(reload: ReloadEverywhere, note: Note) -> tuple[AnyRoute, ...]:
    """`POST /config/reload`."""

    async def again(asked: Asked[NoFields, NoFields]) -> ReloadAnswer:
        done, applied = await reload()
        await note(asked.principal, Deed("config.reload", "config:file", json.dumps({"changed": list(done.changed)})))
        return ReloadAnswer(
            applied=applied, changed=done.changed, needs_restart=done.needs_restart, warnings=done.warnings
        )

    return (
        Route(
            method=Method.POST,
            path="/config/reload",
            permission=Permission.CHANGE_GATEWAY,
            summary="Read the configuration file of this gateway again",
            handler=again,
            response=ReloadAnswer,
        ),
    )

"""What the store refuses, as clients are told of it; and what was changed by somebody else at the same moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from application.administration.administering import apply
from application.errors import AlreadyExists, Conflict, GatewayError, InUse
from application.ports.admin_store import AlreadyThere, ChangedMeanwhile, StillInUse
from domain.audit import AuditEntry, Change
from domain.principal import Principal
from domain.tenants import Role, Team, TeamId

ADMIN = Principal("master", Role.ADMIN)
BEFORE, AFTER = Team(TeamId("T"), "before"), Team(TeamId("T"), "after")
CHANGE = Change("team.update", "team:T", BEFORE, AFTER)
NO_CHANGE = Change("team.update", "team:T", BEFORE, BEFORE)


@dataclass
class RefusingStore:
    error: Exception | None = None
    applied: list[Sequence[Change[Any]]] = field(default_factory=list)

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        assert actor == "master"
        if self.error is not None:
            raise self.error
        self.applied.append(changes)
        return ()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AlreadyThere("the team 'T' has that name"), AlreadyExists("the team 'T' has that name", param="name")),
        (ChangedMeanwhile("x"), Conflict("Somebody else")),
        (StillInUse("it has keys"), InUse("it has keys")),
    ],
)
async def test_refusal_of_the_store_is_told_to_the_client(error: Exception, told: GatewayError) -> None:
    with pytest.raises(type(told), match=told.message[:10]) as raised:
        await apply(RefusingStore(error), ADMIN, CHANGE, unique="name")  # type: ignore[arg-type]

    assert raised.value.param == told.param


async def test_what_changes_nothing_is_left_out() -> None:
    store = RefusingStore()

    await apply(store, ADMIN, NO_CHANGE, CHANGE)  # type: ignore[arg-type]
    await apply(store, ADMIN, NO_CHANGE)  # type: ignore[arg-type]

    assert store.applied == [[CHANGE]]

import pytest

from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.virtual_time import ManualClock
from application.administration.noting import Noting
from application.errors import StateUnavailable
from domain.audit import AuditEntry, Deed
from domain.principal import Principal
from domain.tenants import Role

DEED = Deed("instance.drain", "instance:a")
MASTER = Principal("master", Role.ADMIN)


class AwayLog:
    async def note_deed(self, deed: Deed, actor: str) -> AuditEntry:
        raise StateUnavailable(f"{actor} can not note {deed.action}")


async def test_a_deed_is_noted_with_who_did_it() -> None:
    tenants = MemoryTenants()

    await Noting(MemoryDeedLog(tenants, ManualClock()))(MASTER, DEED)

    assert [(entry.actor, entry.action, entry.target) for entry in tenants.log] == [
        ("master", "instance.drain", "instance:a")
    ]


async def test_a_deed_that_can_not_be_noted_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await Noting(AwayLog())(MASTER, DEED)

    assert "master did instance.drain to instance:a" in caplog.text

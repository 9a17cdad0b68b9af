"""Stores of tenants on a database that is away."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.kept import SqlKept
from adapters.testing.tenants_support import SECRET, USER, Tenants
from application.errors import StateUnavailable
from domain.tenants import User
from tests.contract.tenant_stores import tenants_on
from tests.servers.databases import opened


@pytest.mark.parametrize("url", ["postgresql:///none?host=/nowhere", "sqlite:////no/such/folder/a.db"])
async def test_whatever_is_asked_of_a_database_that_is_away_is_unavailable(url: str) -> None:
    async with opened(url) as engine:
        for ask in _questions(tenants_on(engine), engine):
            with pytest.raises(StateUnavailable, match="the database is not available"):
                await ask()


def _questions(tenants: Tenants, engine: AsyncEngine) -> list[Callable[[], Awaitable[object]]]:
    return [
        lambda: tenants.store.get(User, "U"),
        lambda: tenants.store.page(User, 1),
        lambda: tenants.add(USER),
        lambda: tenants.log.page(1),
        lambda: tenants.log.since(0, 1),
        tenants.log.latest,
        lambda: tenants.keyring.grant_of(SECRET),
        lambda: SqlKept(engine).first("pepper", b"a"),
    ]

from collections.abc import Mapping
from typing import TypeVar

from adapters.outbound.memory.tenants import MemoryTenants
from application.ports.keyring import Keyring
from domain.budget.terms import BudgetTerms
from domain.grant import Grant
from domain.tenants import Membership, Team, User

T = TypeVar("T")


class MemoryKeyring:
    """The keys that MemoryAdminStore has."""

    def __init__(self, tenants: MemoryTenants) -> None:
        self._tenants = tenants

    async def grant_of(self, digest: bytes) -> Grant | None:
        tenants = self._tenants
        key = tenants.key_of(digest)
        if key is None:
            return None
        member = None if key.team_id is None or key.user_id is None else f"{key.team_id}:{key.user_id}"
        owners = (f"key:{key.id}", None if member is None else f"member:{member}", key.tenant)
        return Grant(
            key,
            _found(tenants.of(User), key.user_id),
            _found(tenants.of(Team), key.team_id),
            _found(tenants.of(Membership), member),
            tuple(terms for owner in owners if (terms := _found(tenants.of(BudgetTerms), owner)) is not None),
        )


def _found(items: Mapping[str, T], item_id: str | None) -> T | None:
    return None if item_id is None else items.get(item_id)


_conforms: type[Keyring] = MemoryKeyring

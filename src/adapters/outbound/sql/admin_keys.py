"""Whether somebody could look after the gateway without the master key."""

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import reading
from adapters.outbound.sql.kinds import kind_of
from domain.tenants import Role, User
from domain.virtual_key import KeyScope, VirtualKey

_KEY, _USER = kind_of(VirtualKey).table, kind_of(User).table


async def has_admin_key(engine: AsyncEngine, now_us: int) -> bool:
    """Whether a key of scope admin is valid whose user is an admin; False for a database without tables.

    Raises:
        StateUnavailable: It does not answer.
    """
    statement = (
        select(_KEY.c.id)
        .join(_USER, _USER.c.id == _KEY.c.user_id)
        .where(
            _KEY.c.scope == KeyScope.ADMIN.value,
            _KEY.c.blocked.is_(False),
            _KEY.c.revoked_at_us.is_(None),
            or_(_KEY.c.expires_at_us.is_(None), _KEY.c.expires_at_us > now_us),
            _USER.c.role == Role.ADMIN.value,
            _USER.c.blocked.is_(False),
        )
        .limit(1)
    )
    try:
        async with reading(engine) as connection:
            return (await connection.execute(statement)).first() is not None
    except DBAPIError:
        return False

"""That somebody can look after a gateway before it serves."""

import asyncio

from adapters.outbound.sql.admin_keys import has_admin_key
from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.limits import Limits
from adapters.outbound.system.clock import SystemClock
from application.errors import StateUnavailable
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import Mode, ModeDecision, Settings, names_postgres


def require_a_way_in(settings: Settings, decision: ModeDecision) -> None:
    """Raises ConfigurationError for full mode with neither a master key nor an admin's key in the database.

    One that is generated would be this machine's alone. Only serving needs it: a file can be checked where the secret
    is not at hand.
    """
    if decision.mode is not Mode.FULL or settings.auth.master_key.get_secret_value():
        return
    why = "there is no valid key of scope admin in the database either"
    url = settings.database.url.get_secret_value()
    if names_postgres(url):
        try:
            if asyncio.run(_has_admin_key(url)):
                return
        except StateUnavailable:
            why = "the database does not tell whether it has a key of scope admin"
        except ValueError as error:
            raise ConfigurationError([f"database.url: {error}"]) from error
    way_out = "set it, or MOONGATE_MASTER_KEY, to the same for every gateway"
    raise ConfigurationError([f"auth.master_key: full mode ({decision.reason}) can't generate one; {way_out} ({why})"])


async def _has_admin_key(url: str) -> bool:
    engine = open_engine(url, Limits(connections=1))
    try:
        return await has_admin_key(engine, SystemClock().now_us())
    finally:
        await engine.dispose()

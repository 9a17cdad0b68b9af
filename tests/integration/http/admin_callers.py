"""Callers of the admin API, one for each thing that a caller can be."""

from domain.callers import Caller, CallerKind
from domain.tenants import Role

CALLERS = {
    "master": Caller(CallerKind.MASTER, "master", role=Role.ADMIN),
    "admin": Caller(CallerKind.KEY, "k-admin", user_id="u-admin", role=Role.ADMIN),
    "viewer": Caller(CallerKind.KEY, "k-viewer", user_id="u-viewer", role=Role.VIEWER),
    "team-admin": Caller(CallerKind.KEY, "k-team-admin", user_id="u-team-admin", role=Role.TEAM_ADMIN),
    "llm": Caller(CallerKind.KEY, "k-llm", team_id="t-own"),
}
"""By the credential that shows who they are."""


class CallersByName:
    """An authenticator for which a name is a credential."""

    async def authenticate(self, credential: str | None) -> Caller | None:
        return CALLERS.get(credential or "")

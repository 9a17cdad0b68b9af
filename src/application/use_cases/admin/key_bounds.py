"""What a key's own settings may not do to its team's."""

from collections.abc import Mapping

from application.errors import NotPermitted
from domain.tenants import Team


def refuse_way_out(team: Team, routes: Mapping[str, str]) -> None:
    """Raises NotPermitted where a key's routes lead to what its team may not use, or past where its team is led.

    A key's routes are stronger than its team's, and what they lead to needs no permission. So whoever may not set
    the team's may set no routes that undo them.
    """
    for name, target in routes.items():
        led_past = team.routes.get(name, target) != target or target in team.routes
        if led_past or (team.models is not None and target not in team.models):
            raise NotPermitted(
                f"routes.{name[:60]}: the team's own models and routes do not allow this.", param="routes"
            )

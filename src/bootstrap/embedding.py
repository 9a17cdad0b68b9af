"""The gateway as a library."""

from quart import Quart

from bootstrap.container import Container
from bootstrap.settings import Settings


def create_app(settings: Settings, *, master_key: str, **ports: object) -> Quart:
    """A gateway as an ASGI application, ready for any server or test client.

    Args:
        settings: As `bootstrap.settings.parse_settings` reads them.
        master_key: The key that may do everything.
        ports: Providers that replace the container's own, by their names in `Container`.
    """
    app = Container(settings=settings, master_key=master_key, **ports).app()
    if not isinstance(app, Quart):
        raise TypeError("the container's app must be a Quart application")
    return app

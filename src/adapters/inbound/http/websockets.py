"""There are no websocket endpoints; an upgrade is refused before anything of it is read."""

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope
from quart import Quart


class NoWebsockets:
    """Quart's `asgi_websocket_class`: closes the handshake, which the server answers with 403."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None:
        """Neither is needed."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Refuses the handshake."""
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": ""})

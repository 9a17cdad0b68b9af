"""Which lane leads to what is asked."""

from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError

from adapters.outbound.redis.asked import Asked
from adapters.outbound.redis.lane import Lane
from adapters.outbound.redis.receiver import Receiver


class Lanes(Protocol):
    """One lane per server, so that each server runs what it is asked in the order it was asked."""

    @property
    def unanswered(self) -> int:
        """How much was asked and is not answered yet."""
        ...

    def ask(self, asked: Asked) -> None:
        """Sends it, after all that was asked of the same server before."""
        ...

    def follow(self, asked: Asked, error: AskError) -> bool:
        """Asks the server that `error` names; False where that leads nowhere."""
        ...

    def refresh(self) -> None:
        """A server failed: learns, in the background, which server serves what."""
        ...

    def drop(self, error: Exception) -> None:
        """Closes every connection at once."""
        ...

    async def aclose(self) -> None:
        """Waits for what was asked, then closes every connection."""
        ...


class FreshConnections:
    """Connections as the pool of one server (or of a Sentinel group) makes them; each time to where its name points."""

    def __init__(self, client: Redis) -> None:
        self._pool: Any = client.connection_pool

    def take(self) -> AbstractConnection:
        connection: AbstractConnection = self._pool.make_connection()
        return connection

    def give(self, connection: AbstractConnection) -> None:
        """It belongs to no pool, and is closed."""


class SingleLane:
    """To the one server, or to the primary that the Sentinels name."""

    def __init__(self, client: Redis, bound_s: float, receiver: Receiver) -> None:
        self._lane = Lane(FreshConnections(client), bound_s, receiver)
        self.ask = self._lane.ask

    @property
    def unanswered(self) -> int:
        return self._lane.unanswered

    def follow(self, asked: Asked, error: AskError) -> bool:  # noqa: ARG002 - there is no other server
        return False

    def refresh(self) -> None:
        """Each new connection finds its server anew."""

    def drop(self, error: Exception) -> None:
        self._lane.drop(error)

    async def aclose(self) -> None:
        await self._lane.aclose()

"""The lanes to the nodes of a Cluster."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, NodesManager
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, MovedError, SlotNotCoveredError

from adapters.outbound.redis.asked import Asked
from adapters.outbound.redis.lane import UNANSWERED, Lane
from adapters.outbound.redis.probe import PingProbe
from adapters.outbound.redis.receiver import Receiver
from adapters.outbound.redis.refusals import SILENCE, STORE_ERRORS
from application.errors import StateUnavailable

_REDIRECTS = 5
_REFRESH_EVERY_S = 1.0


class NodeConnections:
    """Connections of the client to one node."""

    def __init__(self, node: ClusterNode) -> None:
        self._node: Any = node

    def take(self) -> AbstractConnection:
        connection: AbstractConnection = self._node.acquire_connection()
        return connection

    def give(self, connection: AbstractConnection) -> None:
        self._node.release(connection)


class ClusterLanes:
    """One lane per node; the slot tells which one.

    What a node has given away follows to where it is now. What nobody serves as far as is known (at the very start, or
    when a node is new) waits, in order and with all that is asked after it, until the nodes were asked who does.
    """

    def __init__(self, client: RedisCluster, bound_s: float, receiver: Receiver, probe: PingProbe) -> None:
        self._client = client
        self._bound_s = bound_s
        self._receiver = receiver
        self._probe = probe
        self._lanes: dict[str, tuple[ClusterNode, Lane]] = {}
        self._lost: list[Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_refreshing = False
        self._next_refresh_s = 0.0

    @property
    def unanswered(self) -> int:
        return len(self._lost) + sum(lane.unanswered for _, lane in self._lanes.values())

    def ask(self, asked: Asked) -> None:
        lane = None if self._lost else self._lane_for(asked.slot)
        if lane is not None:
            lane.ask(asked)
        else:
            self._ask_later(asked)

    def follow(self, asked: Asked, error: AskError) -> bool:
        if asked.redirects >= _REDIRECTS:
            return False
        asked.redirects += 1
        if not error.host:  # "Where you found me": the list of nodes says it with a name.
            self._ask_later(asked)
            return True
        node = self._node_at(error.host, error.port)
        lane = self._lane_to(node)
        if isinstance(error, MovedError):
            self._nodes.nodes_cache[node.name] = node
            self._nodes.slots_cache[error.slot_id] = [node]
            self._refresh_now_and_then()
        else:
            loop = asyncio.get_running_loop()
            lane.ask(Asked(("ASKING",), loop.create_future(), loop.time()))
        lane.ask(asked)
        return True

    def refresh(self) -> None:
        if not self._is_refreshing:
            self._is_refreshing = True
            self._begin(self._refresh())

    def drop(self, error: Exception) -> None:
        for _, lane in self._lanes.values():
            lane.drop(error)

    async def aclose(self) -> None:
        if self._lost:
            await asyncio.wait(self._tasks)
        for _, lane in tuple(self._lanes.values()):
            await lane.aclose()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def _nodes(self) -> NodesManager:
        return self._client.nodes_manager

    def _lane_for(self, slot: int | None) -> Lane | None:
        if slot is None:
            node: ClusterNode | None = cast("Any", self._nodes.default_node)
            return self._lane_to(node) if node is not None else None
        owners = self._nodes.slots_cache.get(slot)
        return self._lane_to(owners[0]) if owners else None

    def _lane_to(self, node: ClusterNode) -> Lane:
        found = self._lanes.get(node.name)
        if found is not None:
            return found[1]
        lane = Lane(NodeConnections(node), self._bound_s, self._receiver)
        self._lanes[node.name] = node, lane
        return lane

    def _node_at(self, host: str, port: int) -> ClusterNode:
        """The node there, which may be too new to be known: one that gets its first slots."""
        name = f"{host}:{port}"
        if name in self._nodes.nodes_cache:
            return self._nodes.nodes_cache[name]
        if name in self._lanes:
            return self._lanes[name][0]
        return ClusterNode(host, port, "primary", **self._nodes.connection_kwargs)

    def _ask_later(self, asked: Asked) -> None:
        if len(self._lost) >= UNANSWERED:
            asked.fail(StateUnavailable("redis is too slow: too much is waiting for it"))
            return
        self._lost.append(asked)
        if len(self._lost) == 1:
            self._begin(self._find())

    async def _find(self) -> None:
        loop = asyncio.get_running_loop()
        started_s, error = loop.time(), cast("Exception", SlotNotCoveredError("no node serves the slot"))
        try:
            async with asyncio.timeout(self._bound_s):
                await (self._nodes if self._nodes.slots_cache else self._client).initialize()
        except SILENCE as found:
            error = found if isinstance(found, STORE_ERRORS) else ConnectionError(str(found))
        lost, self._lost = self._lost, []
        homeless = [asked for asked in lost if not self._asked_again(asked)]
        outages = [self._receiver.receive(asked, error) for asked in homeless]
        self._receiver.judge_lost([outage for outage in outages if outage is not None], loop.time() - started_s)

    def _asked_again(self, asked: Asked) -> bool:
        lane = self._lane_for(asked.slot)
        if lane is not None:
            lane.ask(asked)
        return lane is not None

    def _refresh_now_and_then(self) -> None:
        """Where one slot has moved, others will have; but nodes hear of it one after the other."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._next_refresh_s:
            self._next_refresh_s = now_s + _REFRESH_EVERY_S
            self.refresh()

    async def _refresh(self) -> None:
        try:
            await self._probe.refresh_topology()
        finally:
            self._is_refreshing = False
        for name, (node, lane) in tuple(self._lanes.items()):
            if self._nodes.nodes_cache.get(name) is not node:
                del self._lanes[name]
                self._begin(lane.aclose())

    def _begin(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""A Cluster whose primaries have replicas, and what operators do with it: fail over, and move slots."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import redis

from tests.servers.redis_servers import RedisServer, cluster

WITHIN_S = 20.0
_KEYS_AT_ONCE = 5


@contextlib.contextmanager
def replicated_cluster(binary: str) -> Iterator[tuple[list[RedisServer], list[RedisServer]]]:
    """Three primaries, and a replica of each."""
    with cluster(binary) as primaries, contextlib.ExitStack() as stack:
        replicas = [RedisServer(binary, primaries[0].options) for _ in primaries]
        for primary, replica in zip(primaries, replicas, strict=True):
            stack.callback(replica.close)
            replica.start()
            ask(replica, "CLUSTER", "MEET", "127.0.0.1", primary.port)
        for primary, replica in zip(primaries, replicas, strict=True):
            _wait(partial(_knows, replica, _id_of(primary)))
            ask(replica, "CLUSTER", "REPLICATE", _id_of(primary))
        for replica in replicas:
            _wait(partial(is_linked, replica))
        yield primaries, replicas


def ask(server: RedisServer, *words: str | int) -> Any:
    """What one node says."""
    with redis.Redis(port=server.port, decode_responses=True, socket_timeout=5) as client:
        return client.execute_command(*words)


def fail_over(replica: RedisServer) -> None:
    """The replica takes its primary's place, in agreement with it."""
    ask(replica, "CLUSTER", "FAILOVER")
    _wait(lambda: is_primary(replica))


def is_primary(server: RedisServer) -> bool:
    """Whether it calls itself one."""
    return bool(ask(server, "ROLE")[0] == "master")


def is_linked(replica: RedisServer) -> bool:
    """Whether it is a replica that has all its primary has."""
    role = ask(replica, "ROLE")
    return bool(role[0] == "slave" and role[3] == "connected")


def move_slots(source: RedisServer, target: RedisServer, everybody: Sequence[RedisServer]) -> int:
    """Moves every slot of `source` that has keys to `target`, some keys at a time; how many there were."""
    slots = {int(ask(source, "CLUSTER", "KEYSLOT", key)) for key in ask(source, "KEYS", "*")}
    for slot in sorted(slots):
        _move(slot, source, target, everybody)
    return len(slots)


def _move(slot: int, source: RedisServer, target: RedisServer, everybody: Sequence[RedisServer]) -> None:
    ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", _id_of(source))
    ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", _id_of(target))
    while keys := ask(source, "CLUSTER", "GETKEYSINSLOT", slot, _KEYS_AT_ONCE):
        ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
    for server in (target, source, *everybody):
        ask(server, "CLUSTER", "SETSLOT", slot, "NODE", _id_of(target))


def _id_of(server: RedisServer) -> str:
    return str(ask(server, "CLUSTER", "MYID"))


def _knows(server: RedisServer, node_id: str) -> bool:
    return node_id in str(ask(server, "CLUSTER", "NODES"))


def _wait(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        if time.monotonic() > give_up_s:
            raise RuntimeError("the cluster does not do what it was told")
        time.sleep(0.02)

"""Clients for the topologies: one server, a Sentinel group, a Cluster; TCP, TLS or a Unix socket.

    redis://user:password@host:6379/0      rediss:// for TLS      unix:///path/to/socket
    redis+sentinel://host:26379,host:26379/service      redis+cluster://host:6379,host:6379
    (rediss+sentinel://, rediss+cluster:// for TLS; user:password@ before the hosts)

The client library retries nothing: its defaults would apply a script eleven times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

Client = Redis | RedisCluster

_REDIS_PORT = 6379
_SENTINEL_PORT = 26379
_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one command and of opening a connection, in microseconds."""

    command_us: int = 100_000
    connect_us: int = 100_000


@dataclass(frozen=True, slots=True)
class _Address:
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None
    path: str
    tls: bool


def connect(url: str, timeouts: Timeouts, max_connections: int = 32) -> Client:
    """A client for `url`; it opens connections when it needs them.

    Raises:
        ValueError: The URL is none of the forms above.
    """
    scheme = urlsplit(url).scheme
    options: dict[str, Any] = {
        "socket_timeout": timeouts.command_us / _US_PER_SECOND,
        "socket_connect_timeout": timeouts.connect_us / _US_PER_SECOND,
        "retry": Retry(NoBackoff(), 0),
    }
    match scheme.removeprefix("rediss").removeprefix("redis"):
        case "+sentinel":
            return _sentinel(_address(url, _SENTINEL_PORT), options, max_connections)
        case "+cluster":
            return _cluster(_address(url, _REDIS_PORT), options)
        case _ if scheme in {"redis", "rediss", "unix"}:
            return Redis.from_url(url, max_connections=max_connections, **options)
        case _:
            raise ValueError(f"expected a redis URL, found the scheme {scheme!r}")


def _address(url: str, default_port: int) -> _Address:
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    credentials, _, hosts = authority.rpartition("@")
    username, _, password = credentials.partition(":")
    return _Address(
        tuple(_host(text, default_port) for text in hosts.split(",") if text),
        unquote(username) or None,
        unquote(password) or None,
        path.partition("?")[0],
        scheme.startswith("rediss"),
    )


def _host(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if parts.hostname is None:
        raise ValueError(f"expected host:port in a redis URL, found {text!r}")
    return parts.hostname, parts.port or default_port


def _security(address: _Address) -> Mapping[str, Any]:
    return {"username": address.username, "password": address.password, "ssl": address.tls}


def _sentinel(address: _Address, options: dict[str, Any], max_connections: int) -> Redis:
    service, _, database = address.path.partition("/")
    if not service or not address.hosts:
        raise ValueError("a redis+sentinel URL needs hosts and the name of the service: redis+sentinel://h1,h2/service")
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]  # the library types its methods, not its constructor
        address.hosts,
        sentinel_kwargs={**options, "ssl": address.tls},
        **options,
        **_security(address),
        db=int(database or 0),
        max_connections=max_connections,
    )
    master: Redis = sentinel.master_for(service)
    return master


def _cluster(address: _Address, options: dict[str, Any]) -> RedisCluster:
    if not address.hosts:
        raise ValueError("a redis+cluster URL needs at least one host: redis+cluster://h1:6379,h2:6379")
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    return RedisCluster(startup_nodes=nodes, **options, **_security(address))

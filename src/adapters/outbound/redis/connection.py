"""Clients for the topologies: one server, a Sentinel group, a Cluster; TCP, TLS or a Unix socket.

    redis://user:password@host:6379/0      rediss:// for TLS      unix://user:password@/path/to/socket?db=0
    redis+sentinel://host:26379,host:26379/service/0      redis+cluster://host:6379,host:6379
    (rediss+sentinel://, rediss+cluster:// for TLS; user:password@ before the hosts)

After `?`, joined by `&`: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` (files), `ssl_check_hostname` (true, false);
`sentinel_username`, `sentinel_password`; `db` for a Unix socket. Nothing else: a time limit or a retry in the URL would
undo ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

Client = Redis | RedisCluster

_REDIS_PORT = 6379
_SENTINEL_PORT = 26379
_US_PER_SECOND = 1_000_000

_TLS_OPTIONS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
_OPTIONS = {
    "tcp": _TLS_OPTIONS,
    "unix": {"db"},
    "sentinel": _TLS_OPTIONS | {"sentinel_username", "sentinel_password"},
    "cluster": _TLS_OPTIONS,
}
_SCHEMES = {
    "redis": ("tcp", False),
    "rediss": ("tcp", True),
    "unix": ("unix", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one command and of opening a connection, in microseconds."""

    command_us: int = 100_000
    connect_us: int = 100_000


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says."""

    kind: str
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    path: str
    options: Mapping[str, str] = field(repr=False)

    @property
    def security(self) -> dict[str, Any]:
        """Credentials and TLS, as the client library names them."""
        found: dict[str, Any] = {"username": self.username, "password": self.password}
        if not self.tls:
            return found
        files = {name: value for name, value in self.options.items() if name in _TLS_OPTIONS}
        if "ssl_check_hostname" in files:
            return found | files | {"ssl": True, "ssl_check_hostname": files["ssl_check_hostname"] != "false"}
        return found | files | {"ssl": True}


def connect(url: str, timeouts: Timeouts, max_connections: int = 32) -> Client:
    """A client for `url`; it opens connections when it needs them, and repeats nothing.

    Raises:
        ValueError: The URL is none of the forms above.
    """
    address = parse(url)
    options: dict[str, Any] = {
        "socket_timeout": timeouts.command_us / _US_PER_SECOND,
        "socket_connect_timeout": timeouts.connect_us / _US_PER_SECOND,
        # The library would repeat a command ten times; one that timed out may have been applied.
        "retry": Retry(NoBackoff(), 0),
        # The newer protocol brings pushed messages, and with them the library stops to look for replies that were
        # left behind on a connection before it is used again.
        "protocol": 2,
        # Its name and version would be two more commands for each new connection.
        "driver_info": None,
    }
    match address.kind:
        case "sentinel":
            return _sentinel(address, options, max_connections)
        case "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, max_connections=max_connections, **options, **address.security)
        case "unix":
            where: dict[str, Any] = {"unix_socket_path": address.path, "db": _database(address.options.get("db", ""))}
        case _:
            host, port = address.hosts[0]
            where = {"host": host, "port": port, "db": _database(address.path)}
    return Redis(max_connections=max_connections, **options, **where, **address.security)


async def close(client: Client) -> None:
    """Closes its connections, and those to the Sentinels that it asked."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def parse(url: str) -> Address:
    """What `url` says. Errors name no part of it that could be a password.

    Raises:
        ValueError: It is none of the forms above.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise ValueError(f"expected a redis URL that begins with one of {', '.join(_SCHEMES)} and ://")
    kind, tls = _SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    credentials, _, hosts = authority.rpartition("@")
    username, _, password = credentials.partition(":")
    default_port = _SENTINEL_PORT if kind == "sentinel" else _REDIS_PORT
    return Address(
        kind,
        tls,
        () if kind == "unix" else _hosts(kind, hosts, default_port),
        unquote(username) or None,
        unquote(password) or None,
        unquote(f"/{path}" if kind == "unix" else path),
        _options(kind, query),
    )


def _hosts(kind: str, text: str, default_port: int) -> tuple[tuple[str, int], ...]:
    hosts = tuple(_host(part, default_port) for part in text.split(",") if part)
    if not hosts:
        raise ValueError("a redis URL needs a host after :// (and after user:password@)")
    if kind == "tcp" and len(hosts) > 1:
        raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
    return hosts


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        host, port = None, 0
    if host is None:
        # What stands there may be the rest of a password that holds an unescaped slash.
        raise ValueError("expected host:port in the redis URL; in a password, write / as %2F, @ as %40 and : as %3A")
    return host, port


def _options(kind: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - _OPTIONS[kind])
    if unknown:
        raise ValueError(f"a redis URL of this kind has no option {unknown[0]!r}; it has {sorted(_OPTIONS[kind])}")
    return options


def _database(text: str) -> int:
    if text and not text.isdecimal():
        raise ValueError(f"expected the number of a database in the redis URL, found {text!r}")
    return int(text or 0)


def _sentinel(address: Address, options: dict[str, Any], max_connections: int) -> Redis:
    service, _, database = address.path.partition("/")
    if not service:
        raise ValueError("a redis+sentinel URL needs the name of the service: redis+sentinel://h1,h2/service")
    # They are asked one after the other: a silent first one must leave time for the others.
    share_s = options["socket_connect_timeout"] / (len(address.hosts) + 1)
    security = address.security
    own = {
        **options,
        **security,
        "username": address.options.get("sentinel_username"),
        "password": address.options.get("sentinel_password"),
        "socket_timeout": share_s,
        "socket_connect_timeout": share_s,
    }
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]  # the library types its methods, not its constructor
        address.hosts,
        sentinel_kwargs=own,
        **options,
        **security,
        db=_database(database),
        max_connections=max_connections,
    )
    master: Redis = sentinel.master_for(service)
    return master

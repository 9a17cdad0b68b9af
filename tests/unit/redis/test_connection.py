from typing import Any

import pytest
from redis.asyncio import RedisCluster

from adapters.outbound.redis.connection import Timeouts, connect, parse


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "path"),
    [
        ("redis://h", "tcp", (("h", 6379),), ""),
        ("redis://h:1/2", "tcp", (("h", 1),), "2"),
        ("redis://[::1]:7000/0", "tcp", (("::1", 7000),), "0"),
        ("unix:///run/redis.sock", "unix", (), "/run/redis.sock"),
        ("redis+sentinel://a,b:1,[::1]/main/3", "sentinel", (("a", 26379), ("b", 1), ("::1", 26379)), "main/3"),
        ("redis+cluster://a,b:1", "cluster", (("a", 6379), ("b", 1)), ""),
    ],
)
def test_hosts_ports_and_paths_are_read(url: str, kind: str, hosts: tuple[tuple[str, int], ...], path: str) -> None:
    address = parse(url)

    assert (address.kind, address.hosts, address.path, address.tls) == (kind, hosts, path, False)


def test_credentials_are_unescaped_and_not_shown() -> None:
    address = parse("rediss://me:p%40ss%2Fw%3Aord@h:1/0")

    assert (address.username, address.password, address.tls) == ("me", "p@ss/w:ord", True)
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize(("url", "username"), [("redis://:pw@h", None), ("unix://me:pw@/run/s.sock", "me")])
def test_a_password_may_come_without_a_user_and_before_a_socket(url: str, username: str | None) -> None:
    assert (parse(url).username, parse(url).password) == (username, "pw")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "begins with one of"),
        ("localhost:6379", "begins with one of"),
        ("http://h", "begins with one of"),
        ("redis+other://h", "begins with one of"),
        ("redis://", "needs a host"),
        ("redis://me:pw@", "needs a host"),
        ("redis+cluster://", "needs a host"),
        ("redis://a,b", "redis\\+sentinel:// or redis\\+cluster://"),
        ("redis://h:port", "expected host:port"),
        ("redis://h/zero", "number of a database"),
        ("redis+sentinel://h", "name of the service"),
        ("redis+sentinel://h/main/x", "number of a database"),
        ("redis://h?socket_timeout=30", "no option 'socket_timeout'"),
        ("redis://h?retry_on_timeout=true", "no option"),
        ("redis+cluster://h?max_connections=1", "no option"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        connect(url, Timeouts())


@pytest.mark.parametrize("url", ["redis://me:hunter2/x@h", "redis://me:hunter2@x:y@h:zz", "hunter2://me:hunter2@h"])
def test_an_error_names_no_part_of_a_password(url: str) -> None:
    with pytest.raises(ValueError, match="redis URL") as caught:
        connect(url, Timeouts())

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://h", "rediss://h", "unix:///s", "redis+sentinel://h/main"])
def test_nothing_is_repeated_and_everything_is_bounded(url: str) -> None:
    client: Any = connect(url, Timeouts(command_us=80_000, connect_us=70_000))

    options = client.connection_pool.connection_kwargs
    assert options["socket_timeout"] == 0.08
    assert url.startswith("unix") or options["socket_connect_timeout"] == 0.07
    assert options["retry"].get_retries() == 0
    # Without this the library does not look for replies that were left behind on a connection.
    assert not client.connection_pool.maint_notifications_enabled()


def test_nothing_is_repeated_on_a_cluster_either() -> None:
    client = connect("redis+cluster://h", Timeouts())

    assert isinstance(client, RedisCluster)
    assert client.retry.get_retries() == 0
    assert client.connection_kwargs["socket_timeout"] == 0.1


def test_sentinels_are_asked_within_the_time_of_one_connection() -> None:
    client: Any = connect("redis+sentinel://a,b,c/main?sentinel_password=other", Timeouts())

    sentinels = client.connection_pool.sentinel_manager.sentinels
    options = [sentinel.connection_pool.connection_kwargs for sentinel in sentinels]
    assert sum(option["socket_connect_timeout"] for option in options) < 0.1
    assert {option["password"] for option in options} == {"other"}

"""Every form of URL reaches what it names."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from adapters.outbound.redis.connection import Timeouts
from application.errors import StateUnavailable
from tests.integration.redis.support import store
from tests.ports import free_port
from tests.servers.redis_servers import RedisServer, cluster, cluster_url, standalone, valkey_binary
from tests.servers.sentinel_group import SentinelGroup
from tests.servers.tcp_proxy import TcpProxy


async def test_the_number_of_a_database_counts(server: RedisServer, folder: Path) -> None:
    async with store(server.url.replace("/0", "/3"), folder) as running:
        await running.executor.call("try/keep", ["{t}:db"], ["third"])

    with redis.Redis(port=server.port, db=3) as third, redis.Redis(port=server.port) as first:
        assert (third.get("{t}:db"), first.get("{t}:db")) == (b"third", None)


async def test_a_unix_socket(folder: Path, tmp_path: Path) -> None:
    with standalone(valkey_binary(), "--unixsocket", str(tmp_path / "s")):
        async with store(f"unix://{tmp_path}/s?db=1", folder) as running:
            assert await running.echo("socket") == "socket"


async def test_user_and_password(server: RedisServer, folder: Path) -> None:
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "gate", "on", ">p@ss/word", "~*", "+@all")
    host = f"127.0.0.1:{server.port}"
    async with store(f"redis://gate:p%40ss%2Fword@{host}", folder) as running:
        assert await running.echo("in") == "in"
    async with store(f"redis://gate:wrong@{host}", folder, load=False) as running:
        with pytest.raises(StateUnavailable):
            await running.executor.load()
        assert running.breaker.is_open


async def test_a_password_without_a_user(folder: Path) -> None:
    server = RedisServer(valkey_binary())
    server.start()
    try:
        with redis.Redis(port=server.port) as client:
            client.config_set("requirepass", "secret")
        async with store(f"redis://:secret@127.0.0.1:{server.port}", folder) as running:
            assert await running.echo("in") == "in"
    finally:
        server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA of our own, and a certificate of it for 127.0.0.1. The server is built without TLS: a proxy speaks it."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "these tests need openssl"
    folder = tmp_path_factory.mktemp("tls")
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    subject = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=moongate test")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    for command in (
        ("req", "-x509", *subject, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"),
        ("req", *subject, "-keyout", "key.pem", "-out", "request.pem"),
        ("x509", "-req", "-in", "request.pem", *signing, "-out", "certificate.pem"),
    ):
        subprocess.run([openssl, *command], cwd=folder, check=True, capture_output=True)
    return folder


async def test_tls_with_a_ca_of_our_own(server: RedisServer, folder: Path, authority: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    async with TcpProxy(server.port, tls=context) as proxy:
        address = f"127.0.0.1:{proxy.port}"
        async with store(f"rediss://{address}?ssl_ca_certs={authority}/ca.pem", folder) as running:
            assert await running.echo("secret") == "secret"
        async with store(f"rediss://{address}", folder, load=False) as running:
            with pytest.raises(StateUnavailable):
                await running.executor.load()


async def test_tls_refuses_a_name_that_is_not_in_the_certificate(
    server: RedisServer, folder: Path, authority: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    async with TcpProxy(server.port, tls=context) as proxy:
        url = f"rediss://localhost:{proxy.port}?ssl_ca_certs={authority}/ca.pem"
        async with store(url, folder, load=False) as running:
            with pytest.raises(StateUnavailable):
                await running.executor.load()
        async with store(f"{url}&ssl_check_hostname=false", folder) as running:
            assert await running.echo("unchecked") == "unchecked"


async def test_a_cluster(folder: Path) -> None:
    with cluster(valkey_binary()) as servers:
        async with store(cluster_url(servers[:1]), folder) as running:
            words = [f"w{number}" for number in range(60)]
            assert await asyncio.gather(*(running.echo(word, f"{{{word}}}:k") for word in words)) == words
            owners = [server for server in servers if _scripts_known(server)]
    assert len(owners) == 3


def _scripts_known(server: RedisServer) -> bool:
    with redis.Redis(port=server.port) as client:
        return int(client.info("memory")["number_of_cached_scripts"]) > 0


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with contextlib.ExitStack() as stack:
        yield SentinelGroup(stack, tmp_path)


async def test_sentinel_finds_the_primary_and_after_a_failover_the_new_one(
    group: SentinelGroup, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{group.port}/main"
    async with store(url, folder, Timeouts()) as running:
        assert await running.executor.call("try/keep", ["{t}:k"], ["first"]) == b"first"
        await asyncio.to_thread(group.primary.kill)
        for _ in range(5):
            with pytest.raises(StateUnavailable):
                await running.echo("lost")
        back = asyncio.Event()
        running.breaker.on_recovery(back.set)
        async with asyncio.timeout(60):
            await back.wait()

        assert await running.executor.call("try/keep", ["{t}:k"], ["second"]) == b"second"

    with redis.Redis(port=group.replica.port) as client:
        assert client.get("{t}:k") == b"second"
    assert len([record for record in caplog.records if record.name == "moongate.store"]) == 2


async def test_a_silent_sentinel_leaves_time_for_the_next(group: SentinelGroup, folder: Path) -> None:
    async with TcpProxy(group.port) as silent:
        silent.swallows = True
        url = f"redis+sentinel://127.0.0.1:{silent.port},127.0.0.1:{group.port}/main"
        async with store(url, folder, Timeouts(), load=False) as running:
            assert await running.executor.command("GET", "{t}:none") is None

"""How many system calls an answer costs."""

import asyncio

import pytest

from tests.integration.http.live_server import http_request, raw_connection
from tests.integration.http.stubs import http_app


async def test_a_small_answer_leaves_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_connection(http_app()) as connection:
        writes: list[bytes] = []
        original = asyncio.StreamWriter.write

        def counted(writer: asyncio.StreamWriter, data: bytes) -> None:
            if data.startswith((b"HTTP/1.1", b"{")):
                writes.append(data)
            original(writer, data)

        monkeypatch.setattr(asyncio.StreamWriter, "write", counted)
        await connection.send(http_request("/health", method="GET"))
        await connection.until(b"}")

    assert len(writes) == 1
    assert writes[0].endswith(b"}")


async def test_an_answer_without_a_body_is_sent_all_the_same() -> None:
    async with raw_connection(http_app()) as connection:
        await connection.send(http_request("/health", method="HEAD"))
        head = await connection.until(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")

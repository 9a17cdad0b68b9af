"""An upstream that answers every request with one Messages stream of as many text deltas as the OpenAI lane has."""

import argparse
import asyncio
import json
import signal
from typing import cast

HEAD_END = b"\r\n\r\n"
WORD = "word "
EVENTS = 100


def _event(document: dict[str, object]) -> bytes:
    data = f"event: {document['type']}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream_pieces(events: int = EVENTS) -> list[bytes]:
    """The whole reply, one piece a write: head, events, end."""
    usage: dict[str, object] = {"input_tokens": 12, "output_tokens": 1}
    message: dict[str, object] = {"id": "msg_bench", "type": "message", "role": "assistant", "model": "bench"}
    message["content"] = []
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": WORD}}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    documents: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[delta] * events,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": events}},
        {"type": "message_stop"},
    ]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *map(_event, documents), b"0\r\n\r\n"]


class Connection(asyncio.Protocol):
    """Reads requests with a content-length, and writes the stream for each."""

    pieces = stream_pieces()

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are not its subclasses

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = bytes(self._buffer[:end]).lower()
            _, found, rest = head.partition(b"\r\ncontent-length:")
            whole = end + len(HEAD_END) + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._buffer) < whole:
                return
            del self._buffer[:whole]
            assert self._transport is not None
            for piece in self.pieces:
                self._transport.write(piece)


async def _serve(port: int) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(Connection, "127.0.0.1", port)
    async with server:
        await stopped.wait()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="anthropic_upstream")
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()

"""Requests that two readers could understand differently, and what they would be if they were plain."""

from collections.abc import Mapping

PATH = b"/v1/chat/completions"
BODY = b'{"model":"first","messages":[{"role":"user","content":"hello"}]}'
SIZE = b"%x" % len(BODY)
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKS = b"Transfer-Encoding: chunked\r\n"
CHUNKED = SIZE + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
LINE = b"POST " + PATH + b" HTTP/1.1\r\nHost: gateway\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

LENGTHS: Mapping[str, bytes] = {
    "length, then chunks": LENGTH + CHUNKS,
    "chunks, then length": CHUNKS + LENGTH,
    "chunks in a folded line": b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH,
    "chunks behind another line's fold": b"X: a\r\n Transfer-Encoding: chunked\r\n" + LENGTH,
    "chunks behind a tab's fold": b"X: a\r\n\tTransfer-Encoding: chunked\r\n" + LENGTH,
    "a space before the colon": b"Transfer-Encoding : chunked\r\n" + LENGTH,
    "a tab before the coding": b"Transfer-Encoding:\tchunked\r\n" + LENGTH,
    "a vertical tab before the coding": b"Transfer-Encoding: \x0bchunked\r\n" + LENGTH,
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n" + LENGTH,
    "a coding in quotes": b'Transfer-Encoding: "chunked"\r\n' + LENGTH,
    "no coding": b"Transfer-Encoding:\r\n" + LENGTH,
    "a list of codings": b"Transfer-Encoding: gzip, chunked\r\n",
    "an identity at the end": b"Transfer-Encoding: chunked, identity\r\n",
    "an empty coding first": b"Transfer-Encoding: , chunked\r\n",
    "a coding with a parameter": b"Transfer-Encoding: chunked;q=1\r\n",
    "the coding twice": CHUNKS + CHUNKS,
    "a return in the coding's line": b"Transfer-Encoding: chunked\r\r\n" + LENGTH,
    "chunks behind a bare line feed": b"X: a\n" + CHUNKS,
    "a length behind a bare line feed": b"X: a\n" + LENGTH,
    "an end of the head in bare line feeds": LENGTH + b"X: a\n\nGET /v1/models HTTP/1.1\r\nHost: gateway\r\n",
    "two lengths": b"Content-Length: 0\r\n" + LENGTH,
    "a list of two lengths": b"Content-Length: 0, %d\r\n" % len(BODY),
    "a length with a plus": b"Content-Length: +%d\r\n" % len(BODY),
    "a negative length": b"Content-Length: -1\r\n",
    "a length in hexadecimal": b"Content-Length: 0x%x\r\n" % len(BODY),
    "a length with a gap": b"Content-Length: 6 4\r\n",
    "a length with an underscore": b"Content-Length: 6_4\r\n",
    "a fraction for a length": b"Content-Length: 64.0\r\n",
    "digits of another script": "Content-Length: ٦٤\r\n".encode(),
    "a hard space before the length": b"Content-Length: \xa0%d\r\n" % len(BODY),
    "an empty length": b"Content-Length:\r\n",
    "a length beyond all numbers": b"Content-Length: " + b"9" * 30 + b"\r\n",
}
CHUNK_BODIES: Mapping[str, bytes] = {
    "a prefix of the size": b"0x" + CHUNKED,
    "a sign of the size": b"+" + CHUNKED,
    "a negative size": b"-" + CHUNKED,
    "a space before the size": b" " + CHUNKED,
    "no size": b"\r\n" + CHUNKED,
    "a size beyond all numbers": b"0" * 20 + CHUNKED,
    "a bare line feed after the size": CHUNKED.replace(b"\r\n", b"\n", 1),
    "a bare line feed in an extension": SIZE + b";a\n" + CHUNKED,
    "a bare return after the size": CHUNKED.replace(b"\r\n", b"\r", 1),
    "other bytes after a chunk": SIZE + b"\r\n" + BODY + b"XX0\r\n\r\n",
    "a bare line feed after a chunk": SIZE + b"\r\n" + BODY + b"\n0\r\n\r\n",
    "a bare line feed at the end": SIZE + b"\r\n" + BODY + b"\r\n0\r\n\n",
    "a trailer that is none": SIZE + b"\r\n" + BODY + b"\r\n0\r\nno colon\r\n\r\n",
    "a folded trailer": SIZE + b"\r\n" + BODY + b"\r\n0\r\nX: a\r\n b\r\n\r\n",
    "a bare line feed in a trailer": SIZE + b"\r\n" + BODY + b"\r\n0\r\nX: a\nY: b\r\n\r\n",
    "an extension of 300 bytes": SIZE + b";" + b"a" * 300 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
    "an extension of 60 kilobytes": SIZE + b";" + b"a" * 60_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
}
HEADERS: Mapping[str, bytes] = {
    "a NUL in a value": b"X: a\x00b\r\n",
    "a return in a value": b"X: a\rb\r\n",
    "a header behind a bare return": b"X: a\rContent-Length: 0\r\n",
    "a gap in a name": b"X Y: a\r\n",
    "no colon": b"X\r\n",
    "no name": b": a\r\n",
    "a name beyond ASCII": b"X\xe9: a\r\n",
    "two hosts": b"Host: other\r\n",
    "a fold": b"X: a\r\n b\r\n",
}
FIRST_LINES: Mapping[str, bytes] = {
    "no host": b"POST " + PATH + b" HTTP/1.1\r\n",
    "HTTP/0.9": b"POST " + PATH + b"\r\nHost: gateway\r\n",
    "HTTP/1.2": b"POST " + PATH + b" HTTP/1.2\r\nHost: gateway\r\n",
    "HTTP/2.0": b"POST " + PATH + b" HTTP/2.0\r\nHost: gateway\r\n",
    "a version without a dot": b"POST " + PATH + b" HTTP/11\r\nHost: gateway\r\n",
    "two spaces": b"POST  " + PATH + b" HTTP/1.1\r\nHost: gateway\r\n",
    "a tab": b"POST\t" + PATH + b" HTTP/1.1\r\nHost: gateway\r\n",
    "a gap in the target": b"POST " + PATH + b" x HTTP/1.1\r\nHost: gateway\r\n",
    "a target beyond ASCII": b"POST " + PATH + b"\xe9 HTTP/1.1\r\nHost: gateway\r\n",
    "a bare line feed": b"POST " + PATH + b" HTTP/1.1\nHost: gateway\r\n",
    "a gap before": b" " + LINE,
    "a NUL before": b"\x00" + LINE,
    "a first header that is folded": b"POST " + PATH + b" HTTP/1.1\r\n Host: gateway\r\n",
}
PLAIN: Mapping[str, bytes] = {
    "one length": LENGTH + b"\r\n" + BODY,
    "the same length twice": LENGTH * 2 + b"\r\n" + BODY,
    "a length with zeros": b"Content-Length: 00%d\r\n\r\n" % len(BODY) + BODY,
    "chunks": CHUNKS + b"\r\n" + CHUNKED,
    "chunks in capitals": CHUNKS.upper() + b"\r\n" + CHUNKED,
    "chunks of one byte": CHUNKS + b"\r\n" + b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n",
    "two zeros for the end": CHUNKS + b"\r\n" + SIZE + b"\r\n" + BODY + b"\r\n00\r\n\r\n",
    "a short extension": CHUNKS + b"\r\n" + SIZE + b";a=b\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a length and a key in trailers": CHUNKS
    + b"\r\n"
    + SIZE
    + b"\r\n"
    + BODY
    + b"\r\n0\r\nContent-Length: 5\r\nAuthorization: Bearer wrong\r\n\r\n",
    "a name that only resembles": b"Transfer_Encoding: chunked\r\n" + LENGTH + b"\r\n" + BODY,
    "an upgrade to HTTP/2": b"Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\n" + LENGTH + b"\r\n" + BODY,
    "an upgrade to a socket": b"Upgrade: websocket\r\nConnection: upgrade\r\n" + LENGTH + b"\r\n" + BODY,
    "a list of headers to drop": b"Connection: content-length, authorization\r\n" + LENGTH + b"\r\n" + BODY,
    "another method's name": b"X-HTTP-Method-Override: DELETE\r\n" + LENGTH + b"\r\n" + BODY,
}


def two_readings(key: bytes) -> dict[str, bytes]:
    """Every request that must be refused, with the key that would let it in."""
    return (
        {f"lengths: {name}": LINE + key + lines + b"\r\n" + BODY for name, lines in LENGTHS.items()}
        | {f"chunks: {name}": LINE + key + CHUNKS + b"\r\n" + body for name, body in CHUNK_BODIES.items()}
        | {f"headers: {name}": LINE + key + lines + LENGTH + b"\r\n" + BODY for name, lines in HEADERS.items()}
        | {f"first line: {name}": line + key + LENGTH + b"\r\n" + BODY for name, line in FIRST_LINES.items()}
        | {
            "first line: HTTP/1.0 with chunks": LINE.replace(b"1.1", b"1.0") + key + CHUNKS + b"\r\n" + CHUNKED,
            "first line: HTTP/2 with a header": PREFACE.replace(b"\r\n\r\nSM", b"\r\nHost: gateway\r\n\r\nSM"),
            "first line: a handshake of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        }
    )


REFUSED = tuple(two_readings(b""))

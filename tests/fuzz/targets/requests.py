"""What clients send: bodies of every endpoint, forms, headers, addresses."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Final

import h11

from adapters.inbound.http import request_headers
from adapters.inbound.http.client_address import client_address
from adapters.inbound.http.errors import InvalidJson, RequestTooLarge
from adapters.inbound.http.forwarded_requests import parse_upload
from adapters.inbound.http.schemas import parse_llm_request
from adapters.inbound.http.strict_framing import StrictConnection
from adapters.inbound.http.uploads import Upload, boundary_of
from adapters.outbound.providers.forwarding.multipart import MultipartBody, quoted
from application.errors import InvalidRequest, UnsupportedOperation
from domain.chat import Endpoint, LlmRequest
from domain.form import Form, FormFile
from tests.fuzz.target import Target, every_way, finished, pieces, way
from tests.integration.providers.calls import REQUEST_ID

_ENDPOINTS: Final = tuple(Endpoint)
_TRUSTED: Final = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
_READERS: Final[tuple[tuple[bytes, Callable[[request_headers.RawHeaders], object]], ...]] = (
    (b"authorization", request_headers.credential),
    (b"x-request-id", request_headers.client_request_id),
    (b"traceparent", request_headers.traceparent),
    (b"x-request-timeout-ms", request_headers.timeout_us),
    (b"x-moongate-tags", request_headers.tags),
    (b"x-moongate-cache", request_headers.cache_control),
    (b"idempotency-key", request_headers.idempotency_key),
    (b"anthropic-beta", request_headers.anthropic_betas),
    (b"content-length", request_headers.declared_length),
    (b"content-type", boundary_of),
)
BODIES: Final = (
    b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}',
    (
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":'
        b'{"url":"data:image/png;base64,AA=="}}]}],"tools":[{"type":"function","function":{"name":"f"}}],"max_tokens":9,"n":2}'
    ),
    b'{"model":"m","prompt":["a","b"],"max_tokens":0,"echo":true,"best_of":2,"stop":["x"],"temperature":0.5}',
    b'{"model":"m","input":[[1,2],[3]],"encoding_format":"base64"}',
    (
        b'{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":'
        b'"document","source":{"type":"content","content":[{"type":"image"}]}},{"type":"tool_result","content":"x"}]}]}'
    ),
    (
        b'{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"Hi"},{"type":"input_image"}]},'
        b'{"type":"function_call_output","call_id":"c","output":"x"}],"instructions":"i","max_output_tokens":9}'
    ),
    b'{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1,"prompt":"p","n":2,"voice":"v"}',
)
_FORM: Final = (
    b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--x\r\n'
    b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0"
    b"\x7d\0\0\2\0\x10\0data\r\n--x--\r\n"
)
_WORDS_OF_FORMS: Final = (
    b"\r\n--x\r\n",
    b"--x--",
    b"Content-Disposition: form-data; name=",
    b"\r\n\r\n",
    b'filename*=utf-8"',
    b"Content-Type:",
)
_HEADS: Final = (
    b"Bearer sk-1", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"30000", b"eu, gpu", b"no-store",
    b"a-b_c.d:1", b"multipart/form-data; boundary=x", b"multipart/form-data; boundary*=utf-8''x",
    b"10.0.0.1, [2001:db8::1]:80",
)  # fmt: skip
_LINES: Final = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nT: v\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


def _body(data: bytes) -> None:
    endpoint, body = way(data, _ENDPOINTS)
    try:
        request = parse_llm_request(endpoint, body)
    except (InvalidJson, InvalidRequest, UnsupportedOperation) as error:
        assert str(error)
        return
    _accepted(request, len(body))


def _accepted(request: LlmRequest, size: int) -> None:
    assert request.model
    assert request.input_tokens >= 0
    assert request.most_input_tokens >= size or request.form is not None
    assert request.choices >= 1
    assert request.work.units <= request.work.most_units


def _form(data: bytes) -> None:
    """Read and written anew: that says the same again, and however it arrives. (A malformed one may not.)"""
    upload = Upload(b"x")
    try:
        form = finished(_read(upload, [data]))
        _try_upload(form)
        told = finished(_told(form))
        assert sum(len(content) for *_, content in told) <= len(data)
        body = finished(_written(form))
    except (InvalidRequest, RequestTooLarge) as error:
        assert str(error)
        return
    finally:
        upload.close()
    assert told == finished(_read_again([body])) == finished(_read_again(pieces(body)))


async def _read(upload: Upload, reads: list[bytes]) -> Form:
    for read in reads:
        await upload.take(read)
    return await upload.form()


async def _written(form: Form) -> bytes:
    return b"".join([piece async for piece in MultipartBody(form, "m", REQUEST_ID)])


async def _read_again(reads: list[bytes]) -> list[tuple[str, str, bytes]]:
    upload = Upload(f"moongate-{REQUEST_ID}".encode())
    try:
        return await _told(await _read(upload, reads))
    finally:
        upload.close()


def _try_upload(form: Form) -> None:
    try:
        request = parse_upload(Endpoint.TRANSCRIPTIONS, form)
    except InvalidRequest:
        return
    _accepted(request, 0)


async def _told(form: Form) -> list[tuple[str, str, bytes]]:
    """Names of files, names as they are written, and contents, but for the model's, which is exchanged."""
    told = []
    for part in form.parts:
        name, content = quoted(part.name), b""
        if isinstance(part, FormFile):
            content = await part.content.read(0, part.content.size_bytes)
        elif part.name != "model":
            content = part.value
        told.append((type(part).__name__, "" if name == "model" else name, content))
    return [one for one in told if one[1]]


def _headers(data: bytes) -> None:
    (name, reader), value = way(data, _READERS)
    try:
        found = reader({name: value})
    except InvalidRequest as error:
        assert str(error)
        return
    if type(found) is str:
        assert found.encode("latin-1") in value
    peer = client_address("10.0.0.1", {b"x-forwarded-for": value, b"x-real-ip": value}, _TRUSTED)
    assert re.fullmatch(r"[0-9a-f.:/]+", peer)


def _framing(data: bytes) -> None:
    whole, cut = _events([data]), _events(pieces(data))
    assert whole == cut


def _events(reads: list[bytes]) -> list[object]:
    """Requests and bodies as they are understood, each body joined; or that they are refused."""
    connection, told, body = StrictConnection(16 * 1024), list[object](), bytearray()
    try:
        for read in reads:
            connection.receive_data(read)
            while (event := connection.next_event()) is not h11.NEED_DATA and event is not h11.PAUSED:
                if isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.Request):
                    told.append((event.method, event.target, event.headers.raw_items()))
                elif isinstance(event, h11.ConnectionClosed):
                    break
    except h11.RemoteProtocolError:
        return ["refused"]
    return [*told, bytes(body)]


REQUEST_TARGETS: Final[dict[str, Target]] = {
    "request-bodies": Target(_body, lambda: every_way(_ENDPOINTS, BODIES), (), 1024),
    "forms": Target(_form, lambda: [_FORM], _WORDS_OF_FORMS, 768),
    "headers": Target(_headers, lambda: every_way(_READERS, _HEADS), (b",", b"Bearer ", b"-", b";", b"boundary="), 160),
    "request-lines": Target(
        _framing, lambda: _LINES, (b"\r\n", b"\n ", b"Transfer-Encoding: chunked", b" HTTP/1.0"), 384
    ),
}

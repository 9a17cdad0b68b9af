"""Forms: taken apart however they are fragmented, and written anew so that any parser reads the same."""

import asyncio
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.http.errors import RequestTooLarge
from adapters.inbound.http.forwarded_requests import parse_upload
from adapters.inbound.http.spool import IN_MEMORY_BYTES, Spool
from adapters.inbound.http.uploads import FIELDS_BYTES, MOST_PARTS, Upload, boundary_of, takes_form
from adapters.outbound.providers.forwarding.multipart import MultipartBody, quoted
from application.errors import InvalidRequest
from domain.chat import Endpoint
from domain.form import Form, FormField, FormFile
from domain.identifiers import RequestId

ID = RequestId("01890a5d-ac96-774b-bcce-b302099a8057")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\%\x7f', min_codepoint=32), min_size=1, max_size=20)


_SPOOLS: list[Spool] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _SPOOLS:
        _SPOOLS.pop().close()


async def filled(data: bytes) -> Spool:
    spool = Spool()
    _SPOOLS.append(spool)
    await spool.write(data)
    await spool.finish()
    return spool


def part(name: str, value: bytes, more: bytes = b"") -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more + b"\r\n\r\n" + value + b"\r\n"
    )


def file_part(value: bytes = b"sound") -> bytes:
    return part("file", value, b'; filename="a.wav"')


async def read(body: bytes, boundary: bytes = b"b", step: int = 65_536) -> tuple[Form, list[bytes]]:
    upload = Upload(boundary)
    try:
        for start in range(0, len(body), step):
            await upload.take(body[start : start + step])
        form = await upload.form()
        return form, [await one.content.read(0, one.content.size_bytes) for one in form.files]
    finally:
        upload.close()


@given(NAMES, NAMES, st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 70))
def test_form_survives_being_written_anew(name: str, filename: str, value: bytes, data: bytes, step: int) -> None:
    async def there_and_back() -> None:
        file = FormFile("file", filename, "audio/wav", await filled(data))
        form = Form((FormField(name, value), FormField("model", b"client's"), file))
        body = MultipartBody(form, "upstream's", ID)
        written = b"".join([piece async for piece in body])
        assert len(written) == body.size_bytes
        boundary = boundary_of({b"content-type": body.content_type.encode()})
        found, contents = await read(written, boundary, step)
        if name != "model":
            assert found.parts[0] == FormField(name, value)
            assert found.text("model") == "upstream's"
        assert (found.files[0].filename, found.files[0].content_type, contents) == (filename, "audio/wav", [data])

    asyncio.run(there_and_back())


def test_names_can_not_end_a_header() -> None:
    assert quoted('a"b\r\nx: y\x00\\') == "a%22b%0D%0Ax: y%00%5C"


async def test_content_type_of_a_file_can_not_end_a_header() -> None:
    for kind in ("audio/wav\r\nx: y", "", "audio", "audio/wav; a=b\n"):
        form = Form((FormFile("file", "a", kind, await filled(b"x")),))
        written = b"".join([piece async for piece in MultipartBody(form, "m", ID)])
        assert b"\r\nContent-Type: application/octet-stream\r\n\r\nx" in written
        assert b"x: y" not in written


async def test_form_without_a_model_gets_one() -> None:
    form = Form((FormFile("file", "a", "", await filled(b"x")),))

    written = b"".join([piece async for piece in MultipartBody(form, "m", ID)])

    assert b'name="model"\r\n\r\nm\r\n' in written


async def test_two_attempts_read_at_once_what_is_on_disk() -> None:
    data = bytes(range(256)) * 12_000
    body = MultipartBody(Form((FormFile("file", "a", "", await filled(data)),)), "m", ID)

    async def sent() -> bytes:
        return b"".join([piece async for piece in body])

    first, second = await asyncio.gather(sent(), sent())

    assert first == second
    assert data in first


async def test_closed_file_is_read_by_nobody() -> None:
    for size_bytes in (10, IN_MEMORY_BYTES + 1):
        spool = await filled(b"x" * size_bytes)
        spool.close()
        spool.close()
        with pytest.raises(ValueError, match="over"):
            await spool.read(0, 1)


async def test_file_is_in_memory_up_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise AssertionError("nothing goes to disk")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert (await filled(b"x" * IN_MEMORY_BYTES)).size_bytes == IN_MEMORY_BYTES
    with pytest.raises(AssertionError, match="disk"):
        await filled(b"x" * (IN_MEMORY_BYTES + 1))


def broken_forms() -> Iterator[tuple[bytes, str]]:
    yield b"", "malformed"
    yield b"hello", "malformed"
    yield file_part(), "malformed"
    yield b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n", "malformed"
    yield b"--b\r\nContent-Disposition: form-data\r\n\r\nz\r\n--b--\r\n", "no name"
    yield part("a", b"x", b"\r\nContent-Transfer-Encoding: base64") + b"--b--\r\n", "Encoding"
    yield part("a", b"x") * (MOST_PARTS + 1) + b"--b--\r\n", "more than"
    yield b"--b\r\n" + b"x" * 300_000, "more than"


@pytest.mark.parametrize(("body", "said"), list(broken_forms()))
async def test_broken_form_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        await read(body)


async def test_fields_are_bounded_together() -> None:
    half = b"x" * (FIELDS_BYTES // 2 + 1)
    with pytest.raises(RequestTooLarge):
        await read(part("a", half) + part("b", half) + b"--b--\r\n")


@given(st.binary(max_size=200).map(lambda noise: b"--b\r\n" + noise), st.integers(1, 9))
def test_noise_is_refused_or_read_and_never_a_defect(body: bytes, step: int) -> None:
    try:
        asyncio.run(read(body, step=step))
    except InvalidRequest:
        return


@pytest.mark.parametrize(
    "content_type", [b"", b"application/json", b"multipart/form-data", b"multipart/form-data; boundary=" + b"b" * 71]
)
def test_body_that_is_no_form_is_refused(content_type: bytes) -> None:
    with pytest.raises(InvalidRequest, match="multipart/form-data"):
        boundary_of({b"content-type": content_type})


def test_forms_are_taken_where_sound_is_heard_alone() -> None:
    assert takes_form("/v1/audio/transcriptions")
    assert takes_form("/v1/audio/transcriptions/")
    assert takes_form("/openai/deployments/m/audio/translations")
    assert not takes_form("/v1/audio/speech")


async def test_upload_tells_what_it_may_come_to() -> None:
    form, _ = await read(part("model", b"m") + part("stream", b"true") + file_part(b"x" * 8_001) + b"--b--\r\n")

    llm = parse_upload(Endpoint.TRANSCRIPTIONS, form)

    assert (llm.model, llm.stream, llm.work.units, llm.work.most_units) == ("m", True, 3, 11)
    assert (llm.input_tokens, llm.most_input_tokens, llm.form) == (30, 165, form)


def wav(samples_a_second: int, bytes_a_sample: int, size: int) -> bytes:
    sizes = struct.pack("<IHHIIHH", 16, 1, 1, samples_a_second, 999, bytes_a_sample, 16)
    return (b"RIFF" + bytes(4) + b"WAVEfmt " + sizes).ljust(size, b"\0")


@pytest.mark.parametrize(
    ("sound", "seconds"),
    [
        (wav(44_100, 4, 1_764_001), 11),
        (wav(16_000, 2, 64_000), 2),
        (wav(16_000, 0, 64_000), 16),
        (wav(2**32 - 1, 2**16 - 1, 64_000), 16),
        (wav(16_000, 2, 64_000).replace(b"WAVE", b"AVI "), 16),
        (b"RIFF", 1),
    ],
)
@pytest.mark.parametrize("step", [7, 65_536])
async def test_a_recording_that_says_how_long_it_is_counts_as_long(sound: bytes, seconds: int, step: int) -> None:
    body = part("model", b"m") + part("other", b"longer than most", b'; filename="b"') + file_part(sound) + b"--b--\r\n"
    form, _ = await read(body, step=step)

    work = parse_upload(Endpoint.TRANSCRIPTIONS, form).work

    assert (work.units, work.most_units) == (seconds + 1, -(-len(sound) // 750) + 1)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (file_part(), "model"),
        (part("model", b"") + file_part(), "model"),
        (part("model", b"m") * 2 + file_part(), "model"),
        (part("model", b"m", b'; filename="m"') + file_part(), "model"),
        (part("model", b"m") + part("stream", b"true", b'; filename="s"') + file_part(), "stream"),
        (part("model", b"m"), "file"),
        (part("model", b"m") + part("file", b"x"), "file"),
        (part("model", b"m") + file_part(b""), "file"),
        (part("model", b"m") + file_part() * 2, "file"),
        (part("model", b"m") + part("stream", b"maybe") + file_part(), "stream"),
    ],
)
async def test_upload_that_lacks_something_names_it(body: bytes, param: str) -> None:
    form, _ = await read(body + b"--b--\r\n")

    with pytest.raises(InvalidRequest) as refused:
        parse_upload(Endpoint.TRANSCRIPTIONS, form)

    assert refused.value.param == param


async def test_no_file_can_name_another_model_than_the_path() -> None:
    form, _ = await read(file_part() + part("model", b"dearer", b'; filename="m"') + b"--b--\r\n")

    with pytest.raises(InvalidRequest, match=r"^model: "):
        parse_upload(Endpoint.TRANSCRIPTIONS, form, "deployment")

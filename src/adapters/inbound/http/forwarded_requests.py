"""Requests for something else than text, as far as the gateway must know them: what they may come to, above all.

The bounds that nobody can know are generous guesses, named here: money is reserved by them, never charged where a
provider says what it counted.
"""

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final

from adapters.inbound.http.fields import Fields, optional_bool, optional_int, required_string, wrong
from adapters.inbound.http.sound_length import expected_seconds, most_seconds
from application.errors import InvalidRequest
from domain.chat import Endpoint, LlmRequest
from domain.form import Form
from domain.pricing import estimate_tokens
from domain.work import Work

MAX_PICTURES: Final = 128
MAX_SPOKEN_CHARACTERS: Final = 1_000_000
MAX_TOP: Final = 2**31 - 1

_Expected = tuple[Work, int, int]
"""Work, tokens of input, and how many bytes a model may read beyond those of the body."""

# OpenAI's largest picture of the best quality is 6,240 tokens, an ordinary one 1,056; partial ones come on top.
_PICTURE_TOKENS, _MOST_PICTURE_TOKENS = 1_056, 10_000
# About 21 tokens of sound a second, in which some 15 characters are spoken; slow speech takes twice that and more.
_SPOKEN_TOKENS_HALVED, _MOST_SPOKEN_TOKENS = 3, 4
_HEARD_TOKENS_A_SECOND, _MOST_HEARD_TOKENS_A_SECOND = 10, 15
_WRITTEN_TOKENS_A_SECOND, _MOST_WRITTEN_TOKENS_A_SECOND = 4, 8
# Cohere: a search is one query over 100 documents, of which one longer than 500 tokens with its query counts again.
_SEARCHED_DOCUMENTS: Final = 100
_DOCUMENT_CHARACTERS, _LEAST_DOCUMENT_CHARACTERS = 2_000, 250


def parse_forwarded(endpoint: Endpoint, fields: Fields, body: bytes, deployment: str | None) -> LlmRequest:
    """One that came as JSON.

    Raises:
        InvalidRequest: A field that the gateway needs is missing, of the wrong type or out of bounds.
    """
    make = _WORK.get(endpoint)
    if make is None:
        raise InvalidRequest("Content-Type: expected multipart/form-data with the file in the field 'file'.")
    model = deployment or required_string(fields, "model")
    work, input_tokens, again_bytes = make(fields)
    stream = optional_bool(fields, "stream") or False if endpoint is Endpoint.IMAGES else endpoint is Endpoint.SPEECH
    return LlmRequest(
        endpoint,
        model,
        body,
        fields,
        stream=stream,
        input_tokens=input_tokens,
        most_input_tokens=len(body) + again_bytes,
        work=work,
    )


def parse_upload(endpoint: Endpoint, form: Form, deployment: str | None = None) -> LlmRequest:
    """One that came as a form. Raises InvalidRequest as `parse_forwarded`."""
    for name in ("model", "stream"):
        # A file of that name would be the provider's to read in its own way.
        if sum(part.name == name for part in form.parts) > 1 or any(file.name == name for file in form.files):
            raise InvalidRequest(f"{name}: expected one field, found several or a file.", param=name)
    model = deployment or form.text("model")
    if not model:
        raise InvalidRequest("model: expected a field that is not empty.", param="model")
    files = [one for one in form.files if one.name == "file"]
    if len(files) != 1 or not files[0].content.size_bytes:
        raise InvalidRequest("file: expected one file that is not empty.", param="file")
    seconds, most = sum(map(expected_seconds, form.files)), sum(map(most_seconds, form.files))
    prompt_bytes = len((form.text("prompt") or "").encode())
    work = Work(seconds, most, seconds * _WRITTEN_TOKENS_A_SECOND, most * _MOST_WRITTEN_TOKENS_A_SECOND)
    return LlmRequest(
        endpoint,
        model,
        b"",
        {},
        stream=_is_true(form.text("stream")),
        input_tokens=seconds * _HEARD_TOKENS_A_SECOND + estimate_tokens(prompt_bytes),
        most_input_tokens=most * _MOST_HEARD_TOKENS_A_SECOND + prompt_bytes,
        work=work,
        form=form,
    )


def _is_true(text: str | None) -> bool:
    match (text or "").strip().lower():
        case "" | "false" | "0":
            return False
        case "true" | "1":
            return True
        case _:
            raise InvalidRequest("stream: expected true or false.", param="stream")


def _moderated(fields: Fields) -> _Expected:
    value = fields.get("input")
    if not value or not isinstance(value, str | list):
        raise wrong("input", "a text, or a list that is not empty", value)
    return Work(1, 1), estimate_tokens(_characters(value)), 0


def _painted(fields: Fields) -> _Expected:
    prompt = required_string(fields, "prompt")
    count = optional_int(fields, "n", 1, MAX_PICTURES) or 1
    work = Work(count, count, count * _PICTURE_TOKENS, count * _MOST_PICTURE_TOKENS)
    return work, estimate_tokens(len(prompt)), 0


def _spoken(fields: Fields) -> _Expected:
    characters = len(required_string(fields, "input"))
    work = Work(characters, characters, -(-characters * _SPOKEN_TOKENS_HALVED // 2), characters * _MOST_SPOKEN_TOKENS)
    return work, estimate_tokens(characters), 0


def _searched(fields: Fields) -> _Expected:
    query = required_string(fields, "query")
    optional_int(fields, "top_n", 1, MAX_TOP)
    documents = fields.get("documents")
    if not isinstance(documents, list) or not documents:
        raise wrong("documents", "a list that is not empty", documents)
    for index, document in enumerate(documents):
        if not isinstance(document, str | dict):
            raise wrong(f"documents[{index}]", "a text or an object", document)
    sizes = [_characters(document) for document in documents]
    searches = _searches(size // _DOCUMENT_CHARACTERS for size in sizes)
    most = _searches(size // _LEAST_DOCUMENT_CHARACTERS for size in sizes)
    # Whoever counts in tokens reads the query with each document.
    again_bytes = len(query.encode("utf-8", "surrogatepass")) * (len(documents) - 1)
    return Work(searches, most), estimate_tokens(sum(sizes) + len(query) * len(documents)), again_bytes


def _searches(again: Iterable[int]) -> int:
    counted = sum(1 + more for more in again)
    return -(-counted // _SEARCHED_DOCUMENTS)


def _characters(value: object) -> int:
    """Of all text in there."""
    match value:
        case str():
            return len(value)
        case list():
            return sum(map(_characters, value))
        case dict():
            return sum(map(_characters, value.values()))
        case _:
            return 1


_WORK: MappingProxyType[Endpoint, Callable[[Fields], _Expected]] = MappingProxyType(
    {
        Endpoint.MODERATIONS: _moderated,
        Endpoint.IMAGES: _painted,
        Endpoint.SPEECH: _spoken,
        Endpoint.RERANK: _searched,
    }
)

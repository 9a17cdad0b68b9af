"""What a provider's refusal, a broken reply or a lost connection means. The one place for these mappings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

from adapters.outbound.providers.retry_after import retry_after_us
from adapters.outbound.providers.transport import HostNotFound, NoAnswer, TlsRefused
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.redaction import Redactor

_SERVER_ERROR_FROM: Final = 500
_CLIENT_ERROR_FROM: Final = 400
_STATUS_END: Final = 600
_MAX_CODE_CHARACTERS: Final = 200
_MAX_WAIT_S: Final = 3_600

_BY_STATUS: Final = {
    401: FailureKind.CREDENTIAL_REFUSED,
    402: FailureKind.QUOTA_EXHAUSTED,  # OpenRouter: no credits left
    403: FailureKind.FORBIDDEN,
    408: FailureKind.CONFLICT,
    409: FailureKind.CONFLICT,
    424: FailureKind.SERVER_ERROR,  # Text Generation Inference: the model broke
    425: FailureKind.CONFLICT,
    429: FailureKind.RATE_LIMITED,
}
_QUOTA_CODES: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_CONTEXT_CODES: Final = frozenset(
    {"context_length_exceeded", "model_context_window_exceeded", "exceed_context_size_error"}
)
# OpenAI, vLLM (both generations), Mistral, llama.cpp, Groq, Text Generation Inference.
_CONTEXT_WORDS: Final = re.compile(
    r"maximum context length|context length is only|exceeds? (?:the|this model's) (?:available |maximum )?context"
    r"|context (?:window|size) (?:of|is)|prompt is too long|reduce the length of the (?:messages|input|prompt)"
    r"|`inputs` (?:tokens \+ `max_new_tokens` must be|must have less than)",
    re.IGNORECASE,
)
# An error inside a success has only its words.
_BY_WORD: Final = {
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "too_many_requests": FailureKind.RATE_LIMITED,
    "requests": FailureKind.RATE_LIMITED,
    "tokens": FailureKind.RATE_LIMITED,
    "invalid_request_error": FailureKind.REQUEST_REFUSED,
    "invalid_request": FailureKind.REQUEST_REFUSED,
    "badrequesterror": FailureKind.REQUEST_REFUSED,
    "validation_error": FailureKind.REQUEST_REFUSED,
    "content_filter": FailureKind.REQUEST_REFUSED,
    "content_policy_violation": FailureKind.REQUEST_REFUSED,
    "authentication_error": FailureKind.CREDENTIAL_REFUSED,
    "invalid_api_key": FailureKind.CREDENTIAL_REFUSED,
    "overloaded": FailureKind.RATE_LIMITED,  # Text Generation Inference, as the next
    "validation": FailureKind.REQUEST_REFUSED,
    "permission_error": FailureKind.FORBIDDEN,
    "permission_denied": FailureKind.FORBIDDEN,
}
_BY_TRANSPORT_ERROR: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Failure], ...]] = (
    (httpx.ConnectTimeout, Failure(FailureKind.CONNECT, "no connection to the provider in time")),
    (HostNotFound, Failure(FailureKind.CONNECT, "the provider's host name does not resolve")),
    (TlsRefused, Failure(FailureKind.CONNECT, "no trusted TLS connection to the provider")),
    (
        (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.ProxyError),
        Failure(FailureKind.CONNECT, "no connection to the provider"),
    ),
    # A kept connection may have gone before the request reached anyone, or after.
    (NoAnswer, Failure(FailureKind.CONNECT, "the provider closed the connection unanswered", ambiguous=True)),
    (httpx.TimeoutException, Failure(FailureKind.TIMEOUT, "the provider did not answer in time", ambiguous=True)),
)
_OUR_CREDENTIAL: Final = {
    FailureKind.CREDENTIAL_REFUSED: "the provider refused the gateway's credential",
    FailureKind.FORBIDDEN: "the provider forbids this to the gateway's credential",
}


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What an error document says, of any of the shapes in use, cleaned."""

    message: str | None = None
    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    wait_us: int | None = None

    @classmethod
    def read(cls, document: object, redactor: Redactor) -> Self:
        """Reads `{"error": {…}}`, `{"error": "…"}`, `{"object": "error", …}`, `{"message": …}` and `{"detail": …}`.

        Beside an error that is a string, Hugging Face's servers tell its `error_type` or an `estimated_time`.
        """
        if not isinstance(document, Mapping):
            return cls()
        error = document.get("error") or document
        if not isinstance(error, Mapping):
            kind, wait_us = document.get("error_type"), _wait_us(document.get("estimated_time"))
            return cls(message=_words(error, redactor), type=_name(kind, redactor), wait_us=wait_us)
        code = error.get("code")
        return cls(
            message=_words(error.get("message") or error.get("detail"), redactor),
            code=_name(None if _as_status(code) and not isinstance(code, str) else code, redactor),
            type=_name(error.get("type"), redactor),
            param=_name(error.get("param"), redactor),
            status=_as_status(code) or _as_status(error.get("status")) or _as_status(error.get("status_code")),
        )

    def says_quota(self) -> bool:
        """The account is empty, which no waiting mends."""
        return self.code in _QUOTA_CODES or self.type in _QUOTA_CODES

    def says_context_length(self) -> bool:
        """The prompt does not fit the model."""
        if self.code in _CONTEXT_CODES or self.type in _CONTEXT_CODES:
            return True
        return self.message is not None and _CONTEXT_WORDS.search(self.message) is not None


def failure_of_reply(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
    """The failure in a reply that is no success."""
    if status < _CLIENT_ERROR_FROM:
        return broken_reply(f"the provider answered {status}, which is neither a success nor an error", status=status)
    error = _read_body(status, headers, body, redactor)
    kind = _kind(status, error)
    own = _OUR_CREDENTIAL.get(kind)
    wanted_us = retry_after_us(status, headers)
    return Failure(
        kind=kind,
        message=own or error.message or f"the provider answered {status} without saying why",
        status=status,
        code=error.code,
        type=error.type,
        param=error.param,
        retry_after_us=error.wait_us if wanted_us is None else wanted_us,
        quotes=own is None and error.message is not None,
    )


def failure_inside_success(document: Mapping[str, object], redactor: Redactor) -> Failure | None:
    """The failure that a 200 carries in its body or in an event of its stream; None where it carries none."""
    if not document.get("error") and document.get("object") != "error":
        return None
    error = ProviderError.read(document, redactor)
    kind = _kind(error.status, error) if error.status is not None else _kind_by_words(error)
    own = _OUR_CREDENTIAL.get(kind)
    refused = kind in {FailureKind.REQUEST_REFUSED, FailureKind.CONTEXT_LENGTH}
    return Failure(
        kind=kind,
        message=own or error.message or "the provider reported an error without saying why",
        status=error.status or (_CLIENT_ERROR_FROM if refused else None),
        code=error.code,
        type=error.type,
        param=error.param,
        quotes=own is None and error.message is not None,
    )


def failure_of_transport(error: httpx.TransportError) -> Failure:
    """The failure when there was no reply, or only a part of one."""
    for kinds, failure in _BY_TRANSPORT_ERROR:
        if isinstance(error, kinds):
            return failure
    return broken_reply("the connection to the provider broke")


def broken_reply(message: str, *, status: int | None = None) -> Failure:
    """A reply that can't be used although the request was taken: the provider may bill for it."""
    return Failure(FailureKind.BROKEN_REPLY, message, status=status, ambiguous=True)


def unsupported(field: str, provider: str) -> ProviderFailed:
    """The provider cannot honour this field."""
    message = f"{provider} does not support {field!r}: leave it out, or let the gateway drop it with drop_params"
    return ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param=field))


def _kind(status: int, error: ProviderError) -> FailureKind:
    if status >= _SERVER_ERROR_FROM:
        return FailureKind.SERVER_ERROR
    kind = _BY_STATUS.get(status, FailureKind.REQUEST_REFUSED)
    if kind is FailureKind.RATE_LIMITED and error.says_quota():
        return FailureKind.QUOTA_EXHAUSTED
    if kind is FailureKind.REQUEST_REFUSED and error.says_context_length():
        return FailureKind.CONTEXT_LENGTH
    return kind


def _kind_by_words(error: ProviderError) -> FailureKind:
    if error.says_quota():
        return FailureKind.QUOTA_EXHAUSTED
    if error.says_context_length():
        return FailureKind.CONTEXT_LENGTH
    words = ((error.code or "").lower(), (error.type or "").lower())
    return next((_BY_WORD[word] for word in words if word in _BY_WORD), FailureKind.SERVER_ERROR)


def _read_body(status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> ProviderError:
    try:
        return ProviderError.read(json.loads(body), redactor)
    except (ValueError, RecursionError):
        # Some servers refuse in plain words. Error pages of proxies are no help to a client, and tell of the inside.
        plain = headers.get("content-type", "").startswith("text/plain") and status < _SERVER_ERROR_FROM
        return ProviderError(message=_words(body.decode("utf-8", "replace"), redactor) if plain else None)


def _words(value: object, redactor: Redactor) -> str | None:
    if value is None or value == "":
        return None
    return redactor.clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) or None


def _name(value: object, redactor: Redactor) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return redactor.clean(str(value))[:_MAX_CODE_CHARACTERS] or None


def _wait_us(value: object) -> int | None:
    """Hugging Face's `estimated_time`, in seconds, until a model is loaded."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MAX_WAIT_S:
        return None
    return int(value * 1_000_000)


def _as_status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == len("429"):
        value = int(value)
    if type(value) is int and _CLIENT_ERROR_FROM <= value < _STATUS_END:
        return value
    return None

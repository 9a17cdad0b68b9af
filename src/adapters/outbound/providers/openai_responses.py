"""OpenAI's Responses as a provider itself has them, made ready for the client."""

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx

from adapters.outbound.providers.failures import broken_reply, failure_inside_success
from adapters.outbound.providers.provider_stream import ProviderStream
from adapters.outbound.providers.reply_body import MAX_REPLY_BYTES, parse_object
from adapters.outbound.providers.splicing import with_model, with_nested_model
from adapters.outbound.providers.sse import SseParser
from adapters.outbound.providers.usage import parse_usage
from application.ports.provider import ChunkStream
from domain.chat import Chunk, Reply, Usage
from domain.failure import Failure, ProviderFailed
from domain.redaction import Redactor

_DELTA: Final = re.compile(rb'\{\s*"type"\s*:\s*"response\.[a-z_.]+\.delta"')
_ENDS: Final = frozenset({"response.completed", "response.incomplete"})
_NO_OUTPUT: Final = ("message", "reasoning")
# Codes of a failed response that are about what was asked; all others are the provider's trouble.
_REFUSING: Final = re.compile(r"invalid_|image|policy|residency")


class ResponseRelay:
    """Turns events into chunks, with the client's name for the model in them.

    Most events are deltas, which hold neither a model nor usage and are known by how they begin: those are not read.
    """

    __slots__ = ("_committed", "_redactor", "_reply_model", "is_complete")

    def __init__(self, reply_model: str, redactor: Redactor) -> None:
        self._reply_model = reply_model
        self._redactor = redactor
        self._committed = False
        self.is_complete = False

    def chunk(self, data: bytes) -> Chunk:
        """The chunk in one event.

        Raises:
            ProviderFailed: It says that the response failed, or is no event.
        """
        if _DELTA.match(data) is not None and data.endswith(b"}"):
            self._committed = True
            return Chunk(data)
        return self.parsed_chunk(data)

    def parsed_chunk(self, data: bytes) -> Chunk:
        """As `chunk`, for an event that may have been cut: none of it is taken on trust."""
        document = parse_object(data)
        kind = document.get("type")
        if not isinstance(kind, str):
            raise ProviderFailed(broken_reply("the provider's stream holds an event without a type"))
        if kind == "error":
            raise ProviderFailed(_failure(document.get("error") or document, self._redactor))
        response = document.get("response")
        usage = None
        if isinstance(response, dict):
            _refuse_failed(response, self._redactor)
            usage = usage_of_response(response)
            data = with_nested_model(data, document, "response", self._reply_model)
        self.is_complete = kind in _ENDS
        content = self._is_output(kind, document)
        self._committed = self._committed or content
        return Chunk(data, content=content, usage=usage)

    def _is_output(self, kind: str, document: Mapping[str, Any]) -> bool:
        if kind == "response.output_item.added":
            item = document.get("item")
            return isinstance(item, dict) and item.get("type") not in _NO_OUTPUT
        # A response that says nothing is content nevertheless: that it ends so.
        return kind.endswith(".delta") or (self.is_complete and not self._committed)


class ResponseEventStream(ProviderStream[bytes]):
    """Complete at the event that holds the whole response."""

    __slots__ = ("_relay",)

    def __init__(self, response: httpx.Response, relay: ResponseRelay) -> None:
        super().__init__(response, SseParser())
        self._relay = relay

    def _chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        relay = self._relay
        for data in events:
            into.append(relay.chunk(data))
            if relay.is_complete:
                return True
        return False

    def _last_chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        into.extend(map(self._relay.parsed_chunk, events))
        return self._relay.is_complete


def response_reply(body: bytes | None, redactor: Redactor, model: str) -> Reply:
    """The client's reply: the provider's bytes with the client's name for the model.

    Raises:
        ProviderFailed: It is too large, no response, or a failed one.
    """
    if body is None:
        raise ProviderFailed(broken_reply(f"the provider's reply is larger than {MAX_REPLY_BYTES} bytes"))
    document = parse_object(body)
    _refuse_failed(document, redactor)
    if not isinstance(document.get("output"), list):
        raise ProviderFailed(broken_reply("the provider's reply has no list of output"))
    usage = usage_of_response(document)
    return Reply(with_model(body, document, model) if "model" in document else body, usage)


def usage_of_response(response: Mapping[str, object]) -> Usage | None:
    """The usage that a response tells; None where it is missing or can't be believed."""
    usage = response.get("usage")
    if not isinstance(usage, Mapping):
        return None
    return parse_usage(
        {
            "prompt_tokens": usage.get("input_tokens"),
            "completion_tokens": usage.get("output_tokens"),
            "prompt_tokens_details": usage.get("input_tokens_details"),
        }
    )


def _refuse_failed(response: Mapping[str, object], redactor: Redactor) -> None:
    if response.get("status") == "failed" or response.get("error"):
        raise ProviderFailed(_failure(response.get("error"), redactor))


def _failure(error: object, redactor: Redactor) -> Failure:
    told = dict(error) if isinstance(error, dict) else {"message": error}
    if told.get("type") == "error":  # the event's own
        del told["type"]
    if not told.get("type") and _REFUSING.search(str(told.get("code"))) is not None:
        told["type"] = "invalid_request_error"
    failure = failure_inside_success({"error": told}, redactor)
    return failure or broken_reply("the provider's response failed")


_conforms: type[ChunkStream] = ResponseEventStream

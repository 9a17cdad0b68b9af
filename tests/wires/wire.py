"""What every provider's wire format can carry, in words of no provider: what it was asked, and what it is to answer.

A `Wire` is a provider's own format, written from its documentation and checked by its official SDK's models. The
scripted upstream plays any of them, and one matrix of scenes asks all of them the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Finish = Literal["stop", "length", "tool_calls", "stop_sequence", "content_filter"]


@dataclass(frozen=True)
class ToolCall:
    """`arguments` is a JSON object; `id` is empty where the format has none."""

    id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Heard:
    """What the provider understood of a chat request.

    Attributes:
        turns: Role (`user` or `assistant`) and text of each turn that has text, in order.
        images: A URL, or `data:<media type>;base64,<data>`.
        results: Tool call id (or name, where the format has no ids) and text of each tool result.
        schema: The JSON schema that the answer must have.
        tool_choice: `auto`, `required`, `none`, a tool's name, or None where nothing was said.
    """

    model: str
    stream: bool
    system: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    tool_choice: str | None = None
    calls: tuple[ToolCall, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    schema: Mapping[str, object] | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class Said:
    """What the provider is to answer. `cached_tokens` are part of `input_tokens`.

    `stop_sequence`: the one that ended the text; only with `finish="stop_sequence"`.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"
    stop_sequence: str = ""
    input_tokens: int = 11
    output_tokens: int = 7
    cached_tokens: int = 0


@dataclass(frozen=True)
class Refused:
    """An error that the provider is to answer with."""

    status: int
    message: str
    retry_after_s: int | None = None


@dataclass(frozen=True)
class WireRequest:
    """A request as it arrived at the upstream. `path` is without the query; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class WireReply:
    """`pieces` are written one by one: the body of a whole reply, or the events of a stream."""

    status: int
    pieces: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


class Wire(Protocol):
    """One provider's format."""

    @property
    def name(self) -> str:
        """The provider's type in the configuration."""
        ...

    @property
    def holes(self) -> Mapping[str, str]:
        """Scenes of the matrix that it has no way to say, and the field of the request that the refusal names."""
        ...

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """The `provider` section of an instance that is to call the upstream at `base_url` for that model.

        `base_url` has no path, and each instance's own path prefix (`/lane-x`) may be appended to it by the caller.
        """
        ...

    def hear(self, request: WireRequest) -> Heard:
        """What a chat request says. Raises where the official SDK's models or the documentation forbid it.

        The credentials of `settings` must be in it, and in their right place.
        """
        ...

    def whole(self, said: Said, model: str) -> WireReply:
        """The answer in one piece, checked by the official SDK's models."""
        ...

    def stream(self, said: Said, model: str) -> WireReply:
        """The same as a stream: each text in at least two pieces, tool calls' arguments in deltas where it has them."""
        ...

    def refusal(self, refused: Refused) -> WireReply:
        """The error, as this provider words it."""
        ...

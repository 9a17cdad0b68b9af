"""Chat completions and their chunks, as OpenAI writes them: what translations from other dialects are made into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.splicing import to_json
from domain.chat import Chunk, Usage
from domain.failure import ProviderFailed


@dataclass(frozen=True, slots=True)
class ChatHead:
    """What all chunks of a reply have in common. `model` is the name that the client used."""

    id: str
    created_s: int
    model: str

    def whole(self, choices: Sequence[Mapping[str, object]], usage: Mapping[str, object] | None) -> dict[str, object]:
        """The document of a whole reply."""
        document: dict[str, object] = {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created_s,
            "model": self.model,
            "choices": list(choices),
        }
        return document if usage is None else document | {"usage": usage}


class ChatChunks:
    """Makes the chunks of one reply; all but what changes is written once."""

    __slots__ = ("_head", "_usage_wanted")

    def __init__(self, head: ChatHead, *, usage_wanted: bool) -> None:
        """`usage_wanted`: the client asked for the chunk that tells the usage."""
        common = {"id": head.id, "object": "chat.completion.chunk", "created": head.created_s, "model": head.model}
        self._head = json_of(common)[:-1] + b',"choices":'
        self._usage_wanted = usage_wanted

    def role(self, index: int = 0) -> Chunk:
        """The first chunk of a choice. It is no output yet."""
        return self.delta({"role": "assistant", "content": ""}, index=index, content=False)

    def delta(
        self,
        delta: Mapping[str, object],
        *,
        index: int = 0,
        finish_reason: str | None = None,
        content: bool = True,
        logprobs: Mapping[str, object] | None = None,
        stop_sequence: str | None = None,
    ) -> Chunk:
        """A piece of a choice. `content`: whether it is output, or ends it. `stop_sequence`: the one that ended it."""
        said = b'[{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b%b}]}' % (
            index,
            json_of(delta),
            b"null" if logprobs is None else json_of(logprobs),
            b"null" if finish_reason is None else json_of(finish_reason),
            b"" if stop_sequence is None else b',"stop_sequence":' + json_of(stop_sequence),
        )
        return Chunk(self._head + said, content=content)

    def usage(self, usage: Usage, document: Mapping[str, object] | None = None) -> Chunk:
        """The last chunk. `document`: as the client sees it, where that has more than the usage itself."""
        shown = usage_document(usage) if document is None else document
        data = self._head + b'[],"usage":%b}' % json_of(shown)
        return Chunk(data, content=False, usage=usage, visible=self._usage_wanted)


def usage_document(usage: Usage, *, reasoning_tokens: int | None = None) -> dict[str, object]:
    """`usage` as OpenAI writes it. `reasoning_tokens` are part of the output."""
    document: dict[str, object] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
    }
    if reasoning_tokens is not None:
        document["completion_tokens_details"] = {"reasoning_tokens": reasoning_tokens}
    return document


def json_of(value: object) -> bytes:
    """Compact JSON.

    Raises:
        ProviderFailed: The provider's reply holds a number that no client could read.
    """
    try:
        return to_json(value)
    except ValueError as error:
        raise ProviderFailed(broken_reply("the provider's reply holds a number out of range")) from error

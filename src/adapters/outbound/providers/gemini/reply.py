"""Google's replies as chat completions."""

from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.gemini.finish import finish_reason, is_finished
from adapters.outbound.providers.gemini.logprobs import logprobs_of
from adapters.outbound.providers.gemini.pieces import (
    CallIds,
    Candidate,
    Speaker,
    candidates_in,
    index_of,
    parts_in,
)
from adapters.outbound.providers.gemini.usage import usage_of, usage_shown
from domain.chat import Usage
from domain.failure import ProviderFailed

Document = dict[str, Any]


def completion_of(document: Mapping[str, Any], head: ChatHead) -> tuple[Document, Usage | None]:
    """The chat completion in a whole reply.

    Raises:
        ProviderFailed: It is none, or what the model made can't be used.
    """
    ids = CallIds(head.id)
    choices = [_choice(candidate, ids) for candidate in sorted(candidates_in(document), key=index_of)]
    if not choices:
        choices = [_blocked_choice(document)]
    told = document.get("usageMetadata")
    usage = usage_of(told)
    shown = None if usage is None else usage_shown(usage, told or {})
    return head.whole(choices, shown), usage


def block_reason(document: Mapping[str, Any]) -> str | None:
    """Why the prompt was not answered at all; None where nothing is said of that."""
    match document.get("promptFeedback"):
        case {"blockReason": str(reason)}:
            return reason
        case _:
            return None


def refusal_text(reason: str) -> str:
    """What the client reads where an answer should be."""
    return f"the provider blocked the prompt: {reason}"


def _choice(candidate: Candidate, ids: CallIds) -> Document:
    reason = candidate.get("finishReason")
    if not is_finished(reason):
        raise ProviderFailed(broken_reply("the provider's reply has a candidate that is not finished"))
    speaker = Speaker(ids, index_of(candidate))
    said: Document = {"content": "", "reasoning_content": "", "tool_calls": [], "images": []}
    for piece in speaker.pieces(parts_in(candidate)):
        signature = piece.pop("extra_content", None)
        for name, value in piece.items():
            said[name] += value
        if signature is not None:
            said["extra_content"] = signature
    for call in said["tool_calls"]:
        del call["index"]
    message: Document = {"role": "assistant", "content": said.pop("content"), "refusal": None}
    if said["tool_calls"] and not message["content"]:
        message["content"] = None
    message |= {name: value for name, value in said.items() if value}
    finish = finish_reason(str(reason), called=speaker.calls > 0)
    return {
        "index": speaker.index,
        "message": message,
        "logprobs": logprobs_of(candidate),
        "finish_reason": finish,
    }


def _blocked_choice(document: Mapping[str, Any]) -> Document:
    reason = block_reason(document)
    if reason is None:
        raise ProviderFailed(broken_reply("the provider's reply has no candidates"))
    message = {"role": "assistant", "content": None, "refusal": refusal_text(reason)}
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": "content_filter"}

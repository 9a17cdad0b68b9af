"""A chat completion in words of Responses."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_calls import function_in
from adapters.outbound.providers.chat_content import text_in, thought_in
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.responses_via_chat.input_items import sealed_thoughts
from application.ports.provider import Call
from domain.failure import ProviderFailed

Fields = Mapping[str, Any]
Item = dict[str, Any]

_CUT: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ECHOED: Final[Mapping[str, object]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class ResponseHead:
    """What all documents of one response have in common."""

    __slots__ = ("_call", "_hex")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._hex = call.request_id.replace("-", "")

    def item_id(self, kind: str, index: int = 0) -> str:
        """Of an item: each has its own, the same in a stream as in a whole reply."""
        return f"{kind}_{self._hex}" if index == 0 else f"{kind}_{self._hex}_{index}"

    def document(
        self, chat: Fields, output: list[Item], finish_reason: object, usage: object = None
    ) -> dict[str, object]:
        """The response. `chat`: a document of the chat, which tells when it was made."""
        fields = self._call.request.fields
        cut = _CUT.get(finish_reason) if isinstance(finish_reason, str) else None
        echoed = {name: usual if fields.get(name) is None else fields[name] for name, usual in _ECHOED.items()}
        return {
            "id": f"resp_{self._hex}",
            "object": "response",
            "created_at": chat.get("created", 0),
            "status": "completed" if cut is None else "incomplete",
            "background": False,
            "error": None,
            "incomplete_details": None if cut is None else {"reason": cut},
            "model": self._call.reply_model,
            "output": output,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None, **_told(fields.get("reasoning"))},
            "service_tier": chat.get("service_tier") or fields.get("service_tier"),
            "store": False,
            "text": {"format": {"type": "text"}, **_told(fields.get("text"))},
            **echoed,
            "usage": usage_document(usage),
        }


def response_document(completion: Fields, call: Call) -> dict[str, object]:
    """The whole response.

    Raises:
        ProviderFailed: The completion has no message.
    """
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ProviderFailed(broken_reply("the provider's reply has no message"))
    head = ResponseHead(call)
    finish_reason = choice.get("finish_reason")
    output = _output(message, head, logprobs_of(choice))
    if output:  # what came before was said to its end
        output[-1]["status"] = item_status(finish_reason)
    return head.document(completion, output, finish_reason, completion.get("usage"))


def item_status(finish_reason: object) -> str:
    """Of what was being said when it ended so."""
    return "incomplete" if isinstance(finish_reason, str) and finish_reason in _CUT else "completed"


def reasoning_item(item_id: str, text: str, blocks: list[object], status: str = "completed") -> Item:
    """What the model thought. `blocks`: the provider's own, which it wants back."""
    content = [{"type": "reasoning_text", "text": text}] if text else []
    item: Item = {"id": item_id, "type": "reasoning", "summary": [], "content": content, "status": status}
    return {**item, "encrypted_content": sealed_thoughts(blocks)} if blocks else item


def text_part(text: str, annotations: list[Any], logprobs: list[Any]) -> Item:
    """What the model said."""
    return {"type": "output_text", "annotations": annotations, "logprobs": logprobs, "text": text}


def refusal_part(refusal: str) -> Item:
    """Why it did not."""
    return {"type": "refusal", "refusal": refusal}


def message_item(item_id: str, parts: list[Item], status: str) -> Item:
    """A message."""
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": parts}


def call_item(item_id: str, call: Fields, status: str) -> Item:
    """A function call."""
    function = function_in(call)
    more = {"extra_content": call["extra_content"]} if call.get("extra_content") else {}
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "arguments": function.get("arguments") or "",
        "call_id": call.get("id") or item_id.replace("fc_", "call_"),
        "name": function.get("name") or "",
        **more,
    }


def annotation_of(annotation: Fields) -> Item:
    """Chat nests what it tells of a citation."""
    match annotation:
        case {"type": "url_citation", "url_citation": dict(told)}:
            return {"type": "url_citation", **told}
        case _:
            return dict(annotation)


def logprobs_of(choice: Fields) -> list[Any]:
    """Of the text in a choice, or in a chunk of one."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [_complete(each) for each in objects_in(content)]


def objects_in(value: object) -> list[Item]:
    """The objects in a list; none where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def usage_document(usage: object) -> dict[str, object] | None:
    """A chat's usage as Responses tells it."""
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    prompt, output = usage["prompt_tokens"], _count(usage.get("completion_tokens"))
    read = _told(usage.get("prompt_tokens_details"))
    written = _told(usage.get("completion_tokens_details"))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": _count(read.get("cached_tokens")),
            "cache_write_tokens": _count(read.get("cache_creation_tokens")) or _count(read.get("cache_write_tokens")),
        },
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": _count(written.get("reasoning_tokens"))},
        "total_tokens": _count(usage.get("total_tokens")) or prompt + output,
    }


def _count(tokens: object) -> int:
    """What a provider counted; 0 where it is no number."""
    return tokens if isinstance(tokens, int) else 0


def _complete(logprob: Item) -> Item:
    """Responses wants members that chats may leave out."""
    tops = [{**top, "bytes": top.get("bytes") or []} for top in objects_in(logprob.get("top_logprobs"))]
    return {**logprob, "bytes": logprob.get("bytes") or [], "top_logprobs": tops}


def _output(message: Fields, head: ResponseHead, logprobs: list[Any]) -> list[Item]:
    output = []
    thought = thought_in(message)
    blocks = objects_in(message.get("thinking_blocks"))
    if thought or blocks:
        output.append(reasoning_item(head.item_id("rs"), thought, list(blocks)))
    parts = []
    text, refusal = text_in(message), message.get("refusal")
    if text:
        annotations = [annotation_of(one) for one in objects_in(message.get("annotations"))]
        parts.append(text_part(text, annotations, logprobs))
    if isinstance(refusal, str) and refusal:
        parts.append(refusal_part(refusal))
    if parts:
        output.append(message_item(head.item_id("msg"), parts, "completed"))
    calls = objects_in(message.get("tool_calls"))
    return output + [call_item(head.item_id("fc", index), call, "completed") for index, call in enumerate(calls)]


def _told(value: object) -> dict[str, Any]:
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else {}

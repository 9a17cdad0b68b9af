"""Amazon Bedrock's Converse and ConverseStream. Judges: botocore's service model, serialiser, parsers, signatures."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from botocore.credentials import ReadOnlyCredentials  # type: ignore[import-untyped]

from tests.wires.bedrock_model import asked_of, assert_signed, checked_reply, parsed_events
from tests.wires.event_stream import event
from tests.wires.wire import Heard, Refused, Said, ToolCall, WireReply, WireRequest

REGION = "eu-central-1"
KEYS = ReadOnlyCredentials("AKIDEXAMPLEEXAMPLE", "a/secret+key+of+the+gateway", "the-token-of-a-session")
MODEL_METRICS = {"latencyMs": 321}
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
    "content_filter": "content_filtered",
}
# AWS answers 403 to keys that it does not know.
_ERRORS = {
    400: ("ValidationException", 400),
    401: ("UnrecognizedClientException", 403),
    403: ("AccessDeniedException", 403),
    404: ("ResourceNotFoundException", 404),
    429: ("ThrottlingException", 429),
    500: ("InternalServerException", 500),
    503: ("ServiceUnavailableException", 503),
}


class BedrockWire:
    """Chat by Converse; signed with keys and the token of a session."""

    name: ClassVar[str] = "bedrock"
    holes: ClassVar[Mapping[str, str]] = {"image_url": "messages", "tool_choice_none": "tool_choice"}

    def settings(self, base_url: str, model: str) -> dict[str, object]:
        """Keys, their region, and an address in place of the region's."""
        return {
            "type": self.name,
            "model": model,
            "region": REGION,
            "access_key_id": KEYS.access_key,
            "secret_access_key": KEYS.secret_key,
            "session_token": KEYS.token,
            "base_url": base_url,
        }

    def hear(self, request: WireRequest) -> Heard:
        """A signed request, as AWS's own SDK would write it."""
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        assert_signed(request, KEYS, REGION)
        stream = request.path.endswith("/converse-stream")
        return _heard(asked_of(request, "ConverseStream" if stream else "Converse"), stream=stream)

    def whole(self, said: Said, model: str) -> WireReply:
        """A reply of Converse."""
        del model
        document = {
            "output": {"message": {"role": "assistant", "content": list(_blocks(said))}},
            "stopReason": _STOP_REASONS[said.finish],
            "usage": _usage(said),
            "metrics": MODEL_METRICS,
            **_stop_sequence(said),
        }
        return WireReply(200, (checked_reply(document),))

    def stream(self, said: Said, model: str) -> WireReply:
        """Events of ConverseStream."""
        del model
        events = list(_events(said))
        pieces = tuple(event(name, document) for name, document in events)
        assert parsed_events(b"".join(pieces)) == [{name: document} for name, document in events]
        return WireReply(200, pieces, {"content-type": "application/vnd.amazon.eventstream"})

    def refusal(self, refused: Refused) -> WireReply:
        """An error with its name in a header."""
        name, status = _ERRORS[refused.status]
        headers = {"content-type": "application/json", "x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/"}
        if refused.retry_after_s is not None:
            headers["retry-after"] = str(refused.retry_after_s)
        return WireReply(status, (json.dumps({"message": refused.message}).encode(),), headers)


def _heard(asked: Mapping[str, Any], *, stream: bool) -> Heard:
    turns = asked["messages"]
    roles = [turn["role"] for turn in turns]
    assert roles == [("user", "assistant")[index % 2] for index in range(len(roles))], roles
    blocks = [block for turn in turns for block in turn["content"]]
    assert all(len(block) == 1 for block in blocks)
    texts = ((turn["role"], "".join(block.get("text", "") for block in turn["content"])) for turn in turns)
    uses = [block["toolUse"] for block in blocks if "toolUse" in block]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    tools = asked.get("toolConfig", {})
    inference = asked.get("inferenceConfig", {})
    assert tools or not (uses or results), "calls want their tools beside them"
    return Heard(
        model=asked["modelId"],
        stream=stream,
        system="\n".join(block["text"] for block in asked.get("system", ()) if "text" in block),
        turns=tuple((role, text) for role, text in texts if text),
        images=tuple(_image(block["image"]) for block in blocks if "image" in block),
        tools=tuple(tool["toolSpec"]["name"] for tool in tools.get("tools", ()) if "toolSpec" in tool),
        tool_choice=_choice(tools.get("toolChoice")),
        calls=tuple(ToolCall(use["toolUseId"], use["name"], use["input"]) for use in uses),
        results=tuple(
            (result["toolUseId"], "".join(b.get("text", "") for b in result["content"])) for result in results
        ),
        schema=_schema(asked.get("outputConfig", {}).get("textFormat")),
        stop=tuple(inference.get("stopSequences", ())),
        max_tokens=inference.get("maxTokens"),
        temperature=inference.get("temperature"),
    )


def _image(block: Mapping[str, Any]) -> str:
    return f"data:image/{block['format']};base64,{base64.b64encode(block['source']['bytes']).decode()}"


def _choice(choice: Mapping[str, Any] | None) -> str | None:
    match choice:
        case None:
            return None
        case {"auto": {}}:
            return "auto"
        case {"any": {}}:
            return "required"
        case {"tool": {"name": str(name)}}:
            return name
        case _:
            raise AssertionError(choice)


def _schema(text_format: Mapping[str, Any] | None) -> Mapping[str, object] | None:
    if text_format is None:
        return None
    assert text_format["type"] == "json_schema"
    schema: Mapping[str, object] = json.loads(text_format["structure"]["jsonSchema"]["schema"])
    return schema


def _blocks(said: Said) -> Iterator[dict[str, Any]]:
    if said.reasoning:
        yield {"reasoningContent": {"reasoningText": {"text": said.reasoning, "signature": "c2lnbmVk"}}}
    if said.text:
        yield {"text": said.text}
    for call in said.calls:
        yield {"toolUse": {"toolUseId": call.id, "name": call.name, "input": dict(call.arguments)}}


def _events(said: Said) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_blocks(said)):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            use = block["toolUse"]
            yield (
                "contentBlockStart",
                {"start": {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}, **at},
            )
        for delta in _deltas(block):
            yield "contentBlockDelta", {"delta": delta, **at}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": _STOP_REASONS[said.finish], **_stop_sequence(said)}
    yield "metadata", {"usage": _usage(said), "metrics": MODEL_METRICS}


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    match block:
        case {"text": str(text)}:
            yield from ({"text": half} for half in _halves(text))
        case {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}:
            yield from ({"reasoningContent": {"text": half}} for half in _halves(text))
            yield {"reasoningContent": {"signature": signature}}
        case {"toolUse": {"input": given}} if given:
            written = json.dumps(given, ensure_ascii=False)
            yield from ({"toolUse": {"input": half}} for half in _halves(written))


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _stop_sequence(said: Said) -> dict[str, Any]:
    return {"additionalModelResponseFields": {"stop_sequence": said.stop_sequence}} if said.stop_sequence else {}


def _usage(said: Said) -> dict[str, int]:
    usage = {
        "inputTokens": said.input_tokens - said.cached_tokens,
        "outputTokens": said.output_tokens,
        "totalTokens": said.input_tokens + said.output_tokens,
    }
    if said.cached_tokens:
        usage |= {"cacheReadInputTokens": said.cached_tokens, "cacheWriteInputTokens": 0}
    return usage

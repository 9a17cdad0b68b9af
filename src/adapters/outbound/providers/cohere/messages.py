"""A conversation as Cohere wants it.

Sources: Cohere's API reference, "Chat" (v2), and its guides "Tool use", "Image inputs" and "Reasoning".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.outbound.providers.cohere.words import NAME
from adapters.outbound.providers.failures import unsupported

Block = dict[str, Any]
Fields = Mapping[str, Any]


def message(given: object) -> Block:
    """One message.

    Raises:
        ProviderFailed: UNSUPPORTED, naming what Cohere has no way to say.
    """
    if not isinstance(given, Mapping):
        raise unsupported("messages[]", NAME)
    match given.get("role"):
        case "system" | "developer":
            return {"role": "system", "content": _text_content(given.get("content"))}
        case "user":
            return {"role": "user", "content": _content(given.get("content"))}
        case "assistant":
            return _assistant(given)
        case "tool":
            return {
                "role": "tool",
                "tool_call_id": given.get("tool_call_id"),
                "content": list(_results(given.get("content"))),
            }
        case role:
            raise unsupported(f"messages[].role {role!r}", NAME)


def _assistant(given: Fields) -> Block:
    """Reasoning in front of mere tool calls is Cohere's plan for them; any other is a block of thinking."""
    said: Block = {"role": "assistant"}
    texts = [block for block in _blocks(given.get("content")) if block.get("text") != ""]
    if given.get("refusal"):
        texts.append({"type": "text", "text": given["refusal"]})
    reasoning = given.get("reasoning_content")
    calls = [_call(call) for call in given.get("tool_calls") or ()]
    if reasoning and calls and not texts:
        said["tool_plan"] = reasoning
    elif reasoning:
        said["content"] = [{"type": "thinking", "thinking": reasoning}, *texts]
    elif len(texts) == 1:
        said["content"] = texts[0]["text"]
    elif texts or not calls:
        said["content"] = texts or ""
    if calls:
        said["tool_calls"] = calls
    if given.get("citations"):
        said["citations"] = given["citations"]
    return said


def _call(call: object) -> Block:
    match call:
        case {"id": str(name), "function": {"name": str(function), **rest}}:
            named = {"name": function, "arguments": rest.get("arguments") or "{}"}
            return {"id": name, "type": "function", "function": named}
        case _:
            raise unsupported("messages[].tool_calls[].type", NAME)


def _results(content: object) -> Iterator[Block]:
    """What a tool gave. Cohere's own `document` blocks may stand in it: those can be cited with their data."""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, Mapping) and part.get("type") == "document":
            yield {"type": "document", "document": part.get("document")}
        else:
            yield _text(part)
    if not isinstance(content, list):
        yield {"type": "text", "text": content or ""}


def _text_content(content: object) -> object:
    return [_text(part) for part in content] if isinstance(content, list) else content or ""


def _blocks(content: object) -> list[Block]:
    if isinstance(content, list):
        return [_text(part) for part in content]
    return [{"type": "text", "text": content}] if content else []


def _content(content: object) -> object:
    if not isinstance(content, list):
        return content
    return [_image(part) if _is_image(part) else _text(part) for part in content]


def _is_image(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image_url"


def _image(part: Fields) -> Block:
    """Cohere fetches a URL itself, and reads `data:` URLs."""
    image = part.get("image_url")
    if not isinstance(image, Mapping):
        raise unsupported("messages[].content[].image_url", NAME)
    return {"type": "image_url", "image_url": {name: image[name] for name in ("url", "detail") if name in image}}


def _text(part: object) -> Block:
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return {"type": "text", "text": text}
        case {"type": kind}:
            raise unsupported(f"messages[].content[].type {kind!r}", NAME)
        case _:
            raise unsupported("messages[].content[].type", NAME)

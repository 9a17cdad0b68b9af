"""Requests of OpenAI's Responses to domain requests: only what the gateway acts on is looked at."""

from adapters.inbound.http.fields import (
    Fields,
    check_number,
    check_objects,
    optional_bool,
    optional_int,
    wrong,
)
from adapters.inbound.http.prompt_size import PromptSize
from application.errors import UnsupportedOperation
from domain.chat import Endpoint, LlmRequest

_NUMBERS = ("temperature", "top_p")
# What the provider keeps, and puts before or into the prompt.
_KEPT = ("previous_response_id", "conversation", "prompt")
_TEXTS = ("text", "refusal", "arguments")
_TOOLS_OF_THE_CLIENT = ("function", "custom")


def parse_responses(
    model: str, body: bytes, fields: Fields, *, most_tokens: int, image_tokens: int, file_tokens: int
) -> LlmRequest:
    """The validated request. `image_tokens` and `file_tokens` are the most that one of them is charged as.

    Raises:
        InvalidRequest: A field that the gateway needs is missing, of the wrong type or out of bounds.
    """
    size = _size(fields)
    for name in _NUMBERS:
        check_number(fields, name)
    check_objects(fields, "tools")
    if optional_bool(fields, "background"):
        # It would be answered, and billed, after this request: where neither client nor gateway sees it.
        raise UnsupportedOperation(
            "background: responses can't be fetched here later; wait for the response, or stream it.",
            param="background",
        )
    stream = optional_bool(fields, "stream") or False
    return LlmRequest(
        Endpoint.RESPONSES,
        model,
        body,
        fields,
        stream=stream,
        # The event that ends a stream always tells it.
        stream_usage=stream,
        input_tokens=size.estimated_tokens,
        max_output_tokens=optional_int(fields, "max_output_tokens", 1, most_tokens),
        most_input_tokens=len(body) + image_tokens * size.images + file_tokens * (size.files + _unseen(fields)),
    )


def _size(fields: Fields) -> PromptSize:
    """Of instructions and input."""
    size = PromptSize()
    given, instructions = fields.get("input"), fields.get("instructions")
    if isinstance(instructions, str):
        size.characters += len(instructions)
    elif instructions is not None:
        raise wrong("instructions", "a string", instructions)
    if isinstance(given, str):
        size.characters += len(given)
        return size
    if not isinstance(given, list) or not given:
        # A stored prompt or conversation may be all that there is to say.
        if given is None and any(fields.get(name) is not None for name in _KEPT):
            return size
        raise wrong("input", "a string or a non-empty list of items", given)
    for index, item in enumerate(given):
        _add_item(size, item, f"input[{index}]")
    return size


def _add_item(size: PromptSize, item: object, path: str) -> None:
    if not isinstance(item, dict):
        raise wrong(path, "an object", item)
    _add_texts(size, item)
    if item.get("type", "message") == "message" and not isinstance(item.get("role"), str):
        raise wrong(f"{path}.role", "a string", item.get("role"))
    if item.get("type") == "item_reference":
        size.files += 1
    for name in ("content", "output", "summary"):
        parts = item.get(name)
        if isinstance(parts, str):
            size.characters += len(parts)
        elif isinstance(parts, list):
            for index, part in enumerate(parts):
                _add_part(size, part, f"{path}.{name}[{index}]")


def _add_part(size: PromptSize, part: object, path: str) -> None:
    if not isinstance(part, dict):
        raise wrong(path, "an object", part)
    _add_texts(size, part)
    match part.get("type"):
        case "input_text" | "output_text" if not isinstance(part.get("text"), str):
            raise wrong(f"{path}.text", "a string", part.get("text"))
        case "input_image" | "computer_screenshot":
            size.images += 1
        case "input_file":
            # Pages become text and pictures: a file weighs more than its bytes even where it is all here.
            size.files += 1


def _add_texts(size: PromptSize, fields: Fields) -> None:
    size.characters += sum(len(text) for name in _TEXTS if isinstance(text := fields.get(name), str))


def _unseen(fields: Fields) -> int:
    """Sources of prompt that are not in the request: each may fill a context window."""
    tools = fields.get("tools")
    theirs = [
        tool
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, dict) and tool.get("type") not in _TOOLS_OF_THE_CLIENT
    ]
    return len(theirs) + sum(fields.get(name) is not None for name in _KEPT)

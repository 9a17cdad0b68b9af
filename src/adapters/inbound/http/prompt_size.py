"""How much of a request becomes prompt, and whether it has the documented shape. One pass does both."""

from dataclasses import dataclass

from adapters.inbound.http.fields import Fields, wrong
from domain.pricing import estimate_tokens

# Parts whose bytes are in the request, and so bound their tokens.
_HELD = ("input_audio", "refusal")


@dataclass(slots=True)
class PromptSize:
    """Text and ready-made tokens, summed. Images, audio and files count nothing here.

    Attributes:
        images: Parts that are pictures.
        files: Parts that are neither text nor pictures, nor hold what they are.
    """

    characters: int = 0
    tokens: int = 0
    images: int = 0
    files: int = 0

    @property
    def estimated_tokens(self) -> int:
        """Tokens, at four characters to a token of text."""
        return estimate_tokens(self.characters) + self.tokens


def messages_size(fields: Fields) -> PromptSize:
    """The size of `messages`: a non-empty list of objects that each have a role.

    Raises:
        InvalidRequest: It has another shape.
    """
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise wrong("messages", "a non-empty list of messages", messages)
    size = PromptSize()
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong(f"messages[{index}]", "an object", message)
        if not isinstance(message.get("role"), str):
            raise wrong(f"messages[{index}].role", "a string", message.get("role"))
        content = message.get("content")
        if isinstance(content, str):
            size.characters += len(content)
        elif content is not None:
            _add_parts(size, content, f"messages[{index}].content")
    return size


def input_size(fields: Fields, name: str) -> PromptSize:
    """The size of a prompt or of embeddings' input: a string, strings, token numbers, or lists of token numbers.

    Raises:
        InvalidRequest: It has another shape.
    """
    value = fields.get(name)
    size = PromptSize()
    if isinstance(value, str):
        size.characters = len(value)
    elif isinstance(value, list) and value:
        _add_inputs(size, value, name)
    else:
        raise wrong(name, "a string, a list of strings or a list of tokens", value)
    return size


def _add_parts(size: PromptSize, content: object, path: str) -> None:
    if not isinstance(content, list):
        raise wrong(path, "a string or a list of content parts", content)
    for index, part in enumerate(content):
        if not isinstance(part, dict):
            raise wrong(f"{path}[{index}]", "an object", part)
        text = part.get("text")
        if isinstance(text, str):
            size.characters += len(text)
        elif part.get("type") == "text":
            raise wrong(f"{path}[{index}].text", "a string", text)
        elif part.get("type") == "image_url":
            size.images += 1
        elif part.get("type") not in _HELD:
            size.files += 1


def _add_inputs(size: PromptSize, items: list[object], path: str) -> None:
    if _all_tokens(items):
        size.tokens += len(items)
        return
    for index, item in enumerate(items):
        if isinstance(item, str) and isinstance(items[0], str):
            size.characters += len(item)
        elif isinstance(item, list) and isinstance(items[0], list) and item and _all_tokens(item):
            size.tokens += len(item)
        else:
            raise wrong(f"{path}[{index}]", "the same kind of input as the first: text or token numbers", item)


def _all_tokens(items: list[object]) -> bool:
    # Through C alone: there may be hundreds of thousands, and a boolean must not pass for a number.
    return set(map(type, items)) == {int}

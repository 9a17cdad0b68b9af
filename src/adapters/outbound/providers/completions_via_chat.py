"""OpenAI's legacy completions, spoken to providers that only have chat."""

import json
from collections.abc import Mapping
from typing import Final

from adapters.outbound.providers.chat_content import text_in
from adapters.outbound.providers.failures import broken_reply, unsupported
from adapters.outbound.providers.splicing import to_json
from domain.chat import Chunk
from domain.failure import Failure, FailureKind, ProviderFailed

# The value beside each field asks for nothing.
_WITHOUT_EQUIVALENT: Final[Mapping[str, tuple[object, ...]]] = {
    "suffix": (None, ""),
    "echo": (None, False),
    "best_of": (None, 1),
    "logprobs": (None,),
}
_KEPT: Final = ("id", "created", "model", "system_fingerprint", "usage", "x_groq", "error")


def chat_fields(fields: Mapping[str, object], provider: str, *, drop_params: bool) -> dict[str, object]:
    """The chat request that asks for what a completions request asks for.

    Raises:
        ProviderFailed: UNSUPPORTED, naming a field that chat cannot express. The prompt must be one string.
    """
    translated: dict[str, object] = {}
    for name, value in fields.items():
        if name == "prompt":
            continue
        if name in _WITHOUT_EQUIVALENT:
            if value not in _WITHOUT_EQUIVALENT[name] and not drop_params:
                raise unsupported(name, provider)
            continue
        translated[name] = value
    translated["messages"] = [{"role": "user", "content": _prompt(fields, provider)}]
    return translated


def completion(document: Mapping[str, object]) -> dict[str, object]:
    """The completion in a chat completion, or in a chunk of one."""
    translated = {name: document[name] for name in _KEPT if name in document}
    translated["object"] = "text_completion"
    choices = document.get("choices")
    translated["choices"] = [_choice(choice) for choice in choices] if isinstance(choices, list) else []
    return translated


def completion_body(document: Mapping[str, object]) -> bytes:
    """The same as JSON.

    Raises:
        ProviderFailed: The provider's document holds a number that no client could read.
    """
    try:
        return to_json(completion(document))
    except ValueError as error:
        raise ProviderFailed(broken_reply("the provider's reply holds a number out of range")) from error


def completion_chunk(chunk: Chunk) -> Chunk:
    """The same of a chunk that the gateway itself has made; a mere sign of life stays one."""
    if not chunk.data:
        return chunk
    return chunk._replace(data=completion_body(json.loads(chunk.data)))


def _prompt(fields: Mapping[str, object], provider: str) -> str:
    match fields.get("prompt"):
        case str(prompt) | [str(prompt)]:
            return prompt
        case _:
            message = f"{provider} answers completions by chat: expected 'prompt' to be one string"
            raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param="prompt"))


def _choice(choice: object) -> dict[str, object]:
    fields = choice if isinstance(choice, Mapping) else {}
    message = fields.get("message", fields.get("delta"))
    return {
        "index": fields.get("index", 0),
        "text": text_in(message) if isinstance(message, Mapping) else "",
        "logprobs": None,
        "finish_reason": fields.get("finish_reason"),
    }

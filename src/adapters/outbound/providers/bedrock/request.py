"""Chat requests as Bedrock's Converse wants them.

Sources: the API reference of Amazon Bedrock Runtime (Converse, ConverseStream) and its service model in botocore; the
user guide for what each maker's models take beside that; OpenAI's reference for the fields of a chat completion.
"""

import json
from typing import Any, Final

from adapters.outbound.providers.bedrock.content import Block, Fields
from adapters.outbound.providers.bedrock.conversation import Conversation
from adapters.outbound.providers.bedrock.models import NAME, Maker, maker_of
from adapters.outbound.providers.bedrock.reasoning import reasoning_fields
from adapters.outbound.providers.bedrock.tools import tool_config
from adapters.outbound.providers.capabilities import Capabilities, Part
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import unsupported
from domain.chat import Endpoint

CAPABILITIES: Final = Capabilities(
    NAME,
    native=frozenset(),
    translated=frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS}),
    chat_fields=frozenset(
        {
            "messages",
            "reasoning_effort",
            "response_format",
            "stop",
            "temperature",
            "thinking",
            "tool_choice",
            "tools",
            "top_k",
            "top_p",
        }
    ),
    parts=frozenset(Part) - {Part.IMAGE_URL},
)
HIGHEST_TEMPERATURE: Final = 1


def converse_fields(asked: Asked) -> dict[str, Any]:
    """The body of Converse and of ConverseStream: the model stands in the path.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field that can't be honoured.
    """
    fields, maker = asked.fields, maker_of(asked.model)
    system, turns = Conversation(maker).read(fields.get("messages") or ())
    effort_fields, effort = reasoning_fields(asked)
    body: dict[str, Any] = {
        "messages": turns,
        "system": system,
        "inferenceConfig": _inference(asked),
        "toolConfig": tool_config(fields, maker, has_calls=_has_calls(turns), drop_params=asked.drop_params),
        "additionalModelRequestFields": effort_fields | _top_k(fields, maker),
        "outputConfig": _text_format(asked) | ({"effort": effort} if effort else {}),
    }
    if maker is Maker.CLAUDE and fields.get("stop"):
        # Which of them it was: Claude's own answer says it.
        body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    return {name: value for name, value in body.items() if value or name == "messages"}


def _has_calls(turns: list[Block]) -> bool:
    return any("toolUse" in block or "toolResult" in block for turn in turns for block in turn["content"])


def _inference(asked: Asked) -> dict[str, Any]:
    fields = asked.fields
    config: dict[str, Any] = {}
    if asked.max_tokens is not None:
        config["maxTokens"] = asked.max_tokens
    if "temperature" in fields:
        config["temperature"] = _temperature(fields["temperature"], drop_params=asked.drop_params)
    if "top_p" in fields:
        config["topP"] = fields["top_p"]
    if stop := fields.get("stop"):
        config["stopSequences"] = [stop] if isinstance(stop, str) else stop
    return config


def _temperature(value: float, *, drop_params: bool) -> float:
    if value <= HIGHEST_TEMPERATURE:
        return value
    if not drop_params:
        raise unsupported("temperature", f"{NAME} (whose temperatures end at {HIGHEST_TEMPERATURE})")
    return HIGHEST_TEMPERATURE


def _top_k(fields: Fields, maker: Maker) -> dict[str, Any]:
    if "top_k" not in fields:
        return {}
    match maker:
        case Maker.NOVA | Maker.NOVA_2:
            return {"inferenceConfig": {"topK": fields["top_k"]}}
        case Maker.COHERE:
            return {"k": fields["top_k"]}
        case _:
            return {"top_k": fields["top_k"]}


def _text_format(asked: Asked) -> dict[str, Any]:
    match asked.fields.get("response_format"):
        case None | {"type": "text"}:
            return {}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema), **more}}:
            definition = {name: more[name] for name in ("name", "description") if more.get(name)}
            definition["schema"] = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
            return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}
        case _ if asked.drop_params:
            return {}
        case _:
            raise unsupported("response_format", NAME)

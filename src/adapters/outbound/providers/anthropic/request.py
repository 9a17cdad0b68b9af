"""Chat requests as Anthropic's Messages API wants them.

Sources: Anthropic's API reference ("Messages", "Tool use", "Vision", "PDF support", "Structured outputs", "Effort");
OpenAI's for the fields of a chat completion.
"""

from typing import Any, Final

from adapters.outbound.providers.anthropic.content import NAME
from adapters.outbound.providers.anthropic.conversation import conversation
from adapters.outbound.providers.anthropic.generations import refuses_sampling
from adapters.outbound.providers.anthropic.thinking import thinking_fields
from adapters.outbound.providers.anthropic.tools import tool_fields
from adapters.outbound.providers.capabilities import Capabilities, Part
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import unsupported
from domain.chat import Endpoint
from domain.failure import Failure, FailureKind, ProviderFailed

CAPABILITIES: Final = Capabilities(
    name=NAME,
    native=frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS}),
    translated=frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS}),
    chat_fields=frozenset(
        {
            *("messages", "stop", "temperature", "top_p", "response_format", "user", "safety_identifier"),
            *("tools", "tool_choice", "parallel_tool_calls", "reasoning_effort"),
            # Anthropic's own, for those who know whom they ask.
            *("top_k", "thinking"),
        }
    ),
    parts=frozenset(Part) - {Part.AUDIO},
)

_HIGHEST_TEMPERATURE: Final = 1
_SAMPLING: Final = ("temperature", "top_p", "top_k")
# Anthropic wants a maximum, and here neither client nor gateway has one.
_MAX_TOKENS: Final = 4_096


def messages_fields(asked: Asked) -> dict[str, object]:
    """The body of a request for Messages.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field that can't be honoured.
    """
    fields = asked.fields
    max_tokens = _MAX_TOKENS if asked.max_tokens is None else asked.max_tokens
    system, messages = conversation(fields.get("messages", ()), drop_params=asked.drop_params)
    body: dict[str, object] = {"model": asked.model, "max_tokens": max_tokens, "messages": messages}
    if system:
        body["system"] = system
    if stop := fields.get("stop"):
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if asked.stream:
        body["stream"] = True
    user = fields.get("safety_identifier") or fields.get("user")
    if isinstance(user, str) and user:
        body["metadata"] = {"user_id": user}
    tools = tool_fields(fields)
    thinking = thinking_fields(asked, max_tokens, tools.get("tool_choice"))
    output = _output_format(asked)
    if "effort" in thinking:
        output["effort"] = thinking.pop("effort")
    if output:
        body["output_config"] = output
    return body | _sampling(asked) | tools | thinking


def _sampling(asked: Asked) -> dict[str, object]:
    kept: dict[str, Any] = {name: asked.fields[name] for name in _SAMPLING if name in asked.fields}
    if kept.get("top_p") == 1:
        # It asks for nothing, and many models refuse it beside a temperature.
        del kept["top_p"]
    if refuses_sampling(asked.model):
        asking = [name for name, value in kept.items() if (name, value) != ("temperature", 1)]
        if asking and not asked.drop_params:
            raise unsupported(asking[0], f"this model of {NAME}")
        return {}
    if kept.get("temperature", 0) > _HIGHEST_TEMPERATURE:
        if not asked.drop_params:
            message = f"{NAME} knows temperatures from 0 to {_HIGHEST_TEMPERATURE}"
            raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param="temperature"))
        kept["temperature"] = _HIGHEST_TEMPERATURE
    return kept


def _output_format(asked: Asked) -> dict[str, object]:
    match asked.fields.get("response_format"):
        case None | {"type": "text"}:
            return {}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema), **rest}}:
            if isinstance(rest.get("description"), str):
                schema = {"description": rest["description"], **schema}
            return {"format": {"type": "json_schema", "schema": schema}}
        case _ if asked.drop_params:
            return {}
        case _:
            raise unsupported("response_format", NAME)

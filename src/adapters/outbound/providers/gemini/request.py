"""Chat requests as Google's `generateContent` wants them.

Sources: the references of the Gemini API ("models.generateContent", "Caching", "Function calling", "Thinking",
"Thought signatures", "OpenAI compatibility") and of Vertex AI ("GenerateContent"); OpenAI's for a chat completion.
"""

from collections.abc import Iterator
from typing import Any, Final

from adapters.outbound.providers.chat_calls import function_in, objects_in
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.gemini.contents import conversation
from adapters.outbound.providers.gemini.generation import generation_config
from adapters.outbound.providers.gemini.model import GeminiModel
from adapters.outbound.providers.gemini.parts import Fields

CHAT_FIELDS: Final = frozenset(
    {
        "messages",
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "response_format",
        "reasoning_effort",
        "tools",
        "tool_choice",
        "thinking",  # Anthropic's
        "top_k",  # Google's own from here on, for those who know whom they ask
        "safety_settings",
        "cached_content",
    }
)

Body = dict[str, Any]


def generate_fields(asked: Asked, provider: str) -> Body:
    """The body of a request for one answer, whole or as a stream.

    Raises:
        ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, naming the field that can't be honoured.
    """
    model = GeminiModel(asked.model, provider)
    fields = asked.fields
    system, contents = conversation(fields.get("messages") or (), model)
    body: Body = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    body |= _tools(asked, model)
    if config := generation_config(asked, model):
        body["generationConfig"] = config
    if fields.get("safety_settings"):
        body["safetySettings"] = fields["safety_settings"]
    if fields.get("cached_content"):
        body["cachedContent"] = fields["cached_content"]
    return body


def _tools(asked: Asked, model: GeminiModel) -> Body:
    fields = asked.fields
    tools = fields.get("tools")
    if not tools:
        return {}
    body: Body = {"tools": [{"functionDeclarations": list(_declarations(tools, model))}]}
    calling = _calling(fields.get("tool_choice", "auto"), model)
    if calling == {"mode": "AUTO"} and any(function_in(tool).get("strict") for tool in tools):
        calling = {"mode": "VALIDATED"}  # as AUTO, but arguments keep to their schema
    if "tool_choice" in fields or calling["mode"] != "AUTO":
        body["toolConfig"] = {"functionCallingConfig": calling}
    return body


def _declarations(tools: list[Fields], model: GeminiModel) -> Iterator[Body]:
    for tool in tools:
        if tool.get("type") != "function":
            raise model.unsupported("tools[].type")
        function = function_in(tool)
        declaration: Body = {"name": function.get("name")}
        if function.get("description"):
            declaration["description"] = function["description"]
        if function.get("parameters"):
            declaration["parametersJsonSchema"] = function["parameters"]
        yield declaration


def _calling(choice: object, model: GeminiModel) -> Body:
    match choice:
        case "auto":
            return {"mode": "AUTO"}
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(allowed)}}:
            names = [function_in(tool).get("name") for tool in objects_in(allowed)]
            return {"mode": "ANY" if mode == "required" else "VALIDATED", "allowedFunctionNames": names}
        case _:
            raise model.unsupported("tool_choice")

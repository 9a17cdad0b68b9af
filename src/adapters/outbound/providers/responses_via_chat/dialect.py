from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.responses_via_chat.reply import response_document
from adapters.outbound.providers.responses_via_chat.request import chat_fields
from adapters.outbound.providers.responses_via_chat.stream import ResponseTranslation
from adapters.outbound.providers.via_chat import ChatDialect, ChunkTranslation, Fields
from application.ports.provider import Call
from domain.chat import LlmRequest


class ResponsesDialect:
    """OpenAI's Responses over a chat of one flavour. Nothing is stored."""

    def __init__(self, flavour: ChatFlavour) -> None:
        self._flavour = flavour

    def chat_fields(self, request: LlmRequest, provider: str, *, drop_params: bool) -> dict[str, object]:
        """The chat request that asks for the same."""
        return chat_fields(request.fields, provider, self._flavour, drop_params=drop_params)

    def reply(self, completion: Fields, call: Call) -> dict[str, object]:
        """The whole response."""
        return response_document(completion, call)

    def translation(self, call: Call) -> ChunkTranslation:
        """For one stream."""
        return ResponseTranslation(call)


_conforms: type[ChatDialect] = ResponsesDialect

"""Anthropic's Messages API, for clients of it, in words of chat."""

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.messages_via_chat import request as to_chat
from adapters.outbound.providers.messages_via_chat.reply import message
from adapters.outbound.providers.messages_via_chat.stream import MessageEvents
from adapters.outbound.providers.via_chat import ChatDialect, Fields
from application.ports.provider import Call
from domain.chat import LlmRequest


class MessagesDialect:
    """For one kind of chat."""

    def __init__(self, flavour: ChatFlavour) -> None:
        self._flavour = flavour

    def chat_fields(self, request: LlmRequest, provider: str, *, drop_params: bool) -> dict[str, object]:
        return to_chat.chat_fields(request.fields, self._flavour, provider, drop_params=drop_params)

    def reply(self, completion: Fields, call: Call) -> dict[str, object]:
        return message(completion, call)

    def translation(self, call: Call) -> MessageEvents:
        return MessageEvents(call)


_conforms: type[ChatDialect] = MessagesDialect

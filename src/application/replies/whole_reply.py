"""The shape of a whole reply, as far as it must be known to replay it."""

from collections.abc import Mapping
from typing import Final

from application.replies.members import Members
from domain.chat import Endpoint, LlmRequest

OBJECTS: Final[Mapping[Endpoint, str]] = {Endpoint.CHAT: "chat.completion", Endpoint.COMPLETIONS: "text_completion"}
"""What `object` says in whole replies, for the endpoints that have choices."""


def choices_asked(llm: LlmRequest) -> int:
    """How many choices a reply to it has: of the best of many, only those that were wanted come."""
    each, tried = llm.fields.get("n") or 1, llm.fields.get("best_of") or 1
    if isinstance(each, int) and isinstance(tried, int) and tried > each:
        return llm.choices // tried * each
    return llm.choices


def choices_of(endpoint: Endpoint, document: Mapping[str, object]) -> list[Members]:
    """The choices by index, at least one, each with a message or a text and a finish reason.

    Raises:
        ValueError: It is no such reply.
    """
    choices = document.get("choices")
    if endpoint not in OBJECTS or not isinstance(choices, list) or not choices:
        raise ValueError(f"expected a {endpoint} reply with choices")
    by_index: dict[int, Members] = {}
    for choice in choices:
        index = choice.get("index") if isinstance(choice, dict) else None
        if type(index) is not int or index in by_index:
            raise ValueError("expected choices with an index of their own")
        if not isinstance(choice.get("finish_reason"), str) or not choice["finish_reason"]:
            raise ValueError("expected choices with a finish reason")
        if not _has_output(endpoint, choice):
            raise ValueError("expected choices with a text, or a message whose content is a text or null")
        by_index[index] = choice
    return [by_index[index] for index in sorted(by_index)]


def _has_output(endpoint: Endpoint, choice: Members) -> bool:
    if endpoint is Endpoint.COMPLETIONS:
        return isinstance(choice.get("text"), str)
    message = choice.get("message")
    # A delta beside the message would be taken for the message's own in a replay.
    return isinstance(message, dict) and isinstance(message.get("content"), str | None) and "delta" not in choice

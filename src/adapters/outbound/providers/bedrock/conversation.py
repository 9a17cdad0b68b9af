"""The messages of a chat request as Converse's system prompt and turns."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from adapters.outbound.providers.bedrock.content import Block, ContentBlocks, Fields, unsayable
from adapters.outbound.providers.bedrock.models import Maker, caches, replays_reasoning
from adapters.outbound.providers.chat_calls import function_in
from domain.failure import Failure, FailureKind, ProviderFailed

_IN_SYSTEM: Final = frozenset({"text", "cachePoint"})
_IN_RESULTS: Final = frozenset({"text", "image", "document"})


class Conversation:
    """What is said to one model."""

    __slots__ = ("_content", "_maker")

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._content = ContentBlocks(caches=caches(maker))

    def read(self, messages: Sequence[Fields]) -> tuple[list[Block], list[Block]]:
        """System prompts, which stand apart; and the turns: those of one side that follow each other are one.

        Raises:
            ProviderFailed: UNSUPPORTED or REQUEST_REFUSED, where something in them can't be said.
        """
        system: list[Block] = []
        turns: list[Block] = []
        for message in messages:
            role = message.get("role")
            if role in {"system", "developer"}:
                system += self._system(message)
                continue
            blocks = [*self._blocks(message, role), *self._content.cache_point(message)]
            side = "assistant" if role == "assistant" else "user"
            if turns and turns[-1]["role"] == side:
                turns[-1]["content"] += blocks
            elif blocks:
                turns.append({"role": side, "content": blocks})
        return system, turns

    def _system(self, message: Fields) -> Iterator[Block]:
        yield from _only(_IN_SYSTEM, self._content.of(message.get("content")), "in a system prompt")
        yield from self._content.cache_point(message)

    def _blocks(self, message: Fields, role: object) -> Iterator[Block]:
        match role:
            case "user":
                yield from self._content.of(message.get("content"))
            case "assistant":
                yield from self._reasoning(message.get("thinking_blocks") or ())
                yield from self._content.of(message.get("content"))
                yield from self._content.of(message.get("refusal"))
                for call in message.get("tool_calls") or ():
                    yield {"toolUse": _tool_use(call)}
            case "tool":
                yield from self._tool_result(message)
            case _:
                raise unsayable(f"messages of the role {role!r}")

    def _reasoning(self, thoughts: Sequence[Fields]) -> Iterator[Block]:
        if not replays_reasoning(self._maker):
            return
        for thought in thoughts:
            match thought:
                case {"type": "redacted_thinking", "data": str(data)}:
                    yield {"reasoningContent": {"redactedContent": data}}
                case {"type": "thinking", "thinking": str(text), "signature": str(signature)} if signature:
                    yield {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}
                case {"type": "thinking", "thinking": str(text)} if self._maker is not Maker.CLAUDE:
                    # Claude takes back none that it has not signed.
                    yield {"reasoningContent": {"reasoningText": {"text": text}}}

    def _tool_result(self, message: Fields) -> Iterator[Block]:
        blocks = list(self._content.of(message.get("content")))
        points = [block for block in blocks if "cachePoint" in block]
        said = [block for block in blocks if "cachePoint" not in block]
        content = list(_only(_IN_RESULTS, said, "in a tool's result"))
        yield {"toolResult": {"toolUseId": message.get("tool_call_id"), "content": content}}
        yield from points


def _only(kinds: frozenset[str], blocks: Iterator[Block] | list[Block], where: str) -> Iterator[Block]:
    for block in blocks:
        if kinds.isdisjoint(block):
            raise unsayable(f"{next(iter(block))} {where}")
        yield block


def _tool_use(call: Fields) -> dict[str, Any]:
    function = function_in(call)
    try:
        given = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError, RecursionError):
        given = None
    if call.get("type", "function") != "function" or not isinstance(given, dict):
        message = "expected tool calls to be calls of functions, with a JSON object as their arguments"
        raise ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, param="messages", unsent=True))
    return {"toolUseId": call.get("id"), "name": function.get("name"), "input": given}

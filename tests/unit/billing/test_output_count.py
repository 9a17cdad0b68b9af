import json

import pytest

from application.output_count import OutputCount, written_characters
from domain.chat import Chunk


def counted(*texts: str, more: tuple[Chunk, ...] = ()) -> int:
    count = OutputCount()
    count.add(tuple(Chunk(b'{"frame":"%b"}' % text.encode()) for text in texts))
    count.add(more)
    return count.tokens


def test_nothing_is_nothing() -> None:
    assert counted() == 0


def test_chunks_of_one_size_are_a_token_each() -> None:
    assert counted("abcd", "efgh", "ijkl") == 3


def test_what_a_chunk_has_beyond_the_shortest_counts_four_characters_to_a_token() -> None:
    assert counted("a", "a" * 41) == 2 + 10


def test_chunks_without_content_do_not_count() -> None:
    role, usage = Chunk(b"{}", content=False), Chunk(b"{" + b" " * 400 + b"}", content=False)

    assert counted("abcd", "efgh", more=(role, usage)) == 2


@pytest.mark.parametrize(
    ("choices", "characters"),
    [
        (
            [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "12345", "refusal": None},
                }
            ],
            5,
        ),
        ([{"text": "123"}, {"text": "4567", "logprobs": {"tokens": ["4567"]}}], 7),
        ([{"message": {"content": [{"type": "text", "text": "12"}], "reasoning_content": "345"}}], 5),
        (
            [
                {
                    "message": {
                        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
                    }
                }
            ],
            3,
        ),
        ([], 0),
    ],
)
def test_of_a_whole_reply_what_the_model_wrote_is_counted(choices: list[object], characters: int) -> None:
    body = json.dumps({"id": "x" * 400, "model": "gpt", "choices": choices}).encode()

    assert written_characters(body) == characters


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"choices": 1}'])
def test_of_a_reply_in_another_shape_all_is_counted(body: bytes) -> None:
    assert written_characters(body) == len(body)

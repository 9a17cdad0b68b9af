from application.output_count import OutputCount
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

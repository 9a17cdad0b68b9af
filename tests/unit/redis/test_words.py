from enum import StrEnum

import pytest

from adapters.outbound.redis.words import Word, as_sent


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize("word", ["", "plain", b"\x00\xff", 0, -1, 2**70])
def test_what_redis_knows_is_sent_as_it_is(word: Word) -> None:
    assert as_sent(word, "try") is word


def test_text_is_sent_as_utf_8_and_lone_surrogates_stay_apart() -> None:
    sent = [as_sent(text, "try") for text in ("ü", "\ud800", "\udcff", "\ufffd", Colour.RED)]

    assert sent[0] == "ü".encode()
    assert sent[-1] == b"red"
    assert len(set(sent)) == 5


@pytest.mark.parametrize("word", [None, True, 1.0, ["a"], {"a": 1}])
def test_what_redis_has_no_form_for_names_the_call(word: Word) -> None:
    with pytest.raises(TypeError, match=r"^try/it: expected text, bytes or an integer, found "):
        as_sent(word, "try/it")

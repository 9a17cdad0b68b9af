import pytest

from adapters.outbound.providers.usage import parse_usage, usage_of
from domain.chat import Usage


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}, Usage(5, 7)),
        ({"prompt_tokens": 5, "total_tokens": 5}, Usage(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": None, "total_tokens": 9}, Usage(5, 4)),
        ({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 3}}, Usage(5, 1, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}}, Usage(5, 1, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -1}}, Usage(5, 1, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": "junk"}, Usage(5, 1, 0)),
        ({"prompt_tokens": -5, "completion_tokens": 1}, None),
        ({"prompt_tokens": 5, "completion_tokens": -1}, None),
        ({"prompt_tokens": 2**53 + 1, "completion_tokens": 1}, None),
        ({"prompt_tokens": True, "completion_tokens": 1}, None),
        ({"prompt_tokens": "5", "completion_tokens": 1}, None),
        ({"prompt_tokens": 5.0, "completion_tokens": 1}, None),
        ({"completion_tokens": 1}, None),
        ({}, None),
        (None, None),
        ([1], None),
        ("junk", None),
    ],
)
def test_usage_is_believed_only_where_it_can_be_true(told: object, expected: Usage | None) -> None:
    assert parse_usage(told) == expected


def test_usage_is_found_where_groq_puts_it() -> None:
    assert usage_of({"x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}) == Usage(1, 2)
    assert usage_of({"x_groq": "junk"}) is None

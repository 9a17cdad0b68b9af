"""Log probabilities, as Cohere tells and OpenAI writes them."""

from collections.abc import Mapping, Sequence
from typing import Any


def openai_logprobs(items: object) -> dict[str, Any] | None:
    """OpenAI's `logprobs` of a choice; None where there are none.

    Cohere tells a text and its tokens' numbers: a text of several tokens has the probability of all of them.
    """
    if not isinstance(items, Sequence) or not items:
        return None
    content = [_item(item) for item in items if isinstance(item, Mapping) and isinstance(item.get("logprobs"), list)]
    return {"content": content, "refusal": None} if content else None


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    text = item.get("text") or ""
    return {
        "token": text,
        "logprob": sum(item["logprobs"]),
        "bytes": list(text.encode("utf-8", "surrogatepass")),
        "top_logprobs": [],
    }

"""Google's `logprobsResult`."""

from collections.abc import Mapping
from typing import Any


def logprobs_of(candidate: Mapping[str, Any]) -> dict[str, object] | None:
    """As OpenAI writes them; None where there are none."""
    match candidate.get("logprobsResult"):
        case {"chosenCandidates": list(chosen), "topCandidates": list(top)}:
            pass
        case {"chosenCandidates": list(chosen)}:
            top = []
        case _:
            return None
    content = []
    for number, token in enumerate(chosen):
        others = top[number].get("candidates") if number < len(top) and isinstance(top[number], Mapping) else None
        content.append(_token(token) | {"top_logprobs": [_token(other) for other in others or ()]})
    return {"content": content, "refusal": None}


def _token(told: object) -> dict[str, object]:
    fields = told if isinstance(told, Mapping) else {}
    token = fields.get("token")
    text = token if isinstance(token, str) else ""
    # Numbers that are 0 are left out of Google's JSON.
    return {
        "token": text,
        "logprob": fields.get("logProbability", 0.0),
        "bytes": list(text.encode("utf-8", "surrogatepass")),
    }

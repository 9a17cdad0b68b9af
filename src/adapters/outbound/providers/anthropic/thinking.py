"""How much a Claude model is to think."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.anthropic.generations import thinks_by_budget
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import unsupported
from domain.failure import Failure, FailureKind, ProviderFailed

_EFFORTS: Final = MappingProxyType(
    {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
)
# Hundredths of the maximum of output, which holds the thinking, too.
_SHARES: Final = MappingProxyType({"low": 20, "medium": 50, "high": 80, "xhigh": 90, "max": 95})
_LEAST_BUDGET_TOKENS: Final = 1_024
_MOST_BUDGET_TOKENS: Final = 32_000
_FORCED: Final = frozenset({"any", "tool"})


def thinking_fields(asked: Asked, max_tokens: int, tool_choice: Mapping[str, Any] | None) -> dict[str, object]:
    """`thinking` and `effort` as the client wants them; a client's own `thinking` goes through as it is.

    A forced choice of tool and thinking exclude each other: there only the effort is passed on.

    Raises:
        ProviderFailed: UNSUPPORTED, where this model can't be told so.
    """
    own = asked.fields.get("thinking")
    thinking = {} if own is None else {"thinking": own}
    wanted = asked.fields.get("reasoning_effort")
    if wanted is None:
        return thinking
    if wanted == "none":
        return {"thinking": {"type": "disabled"}} | thinking
    effort = _EFFORTS.get(wanted) if isinstance(wanted, str) else None
    is_forced = tool_choice is not None and tool_choice["type"] in _FORCED
    by_budget = thinks_by_budget(asked.model)
    if effort is None or (by_budget and is_forced):
        if asked.drop_params:
            return thinking
        raise unsupported("reasoning_effort", "anthropic" if effort is None else "anthropic, with a forced tool,")
    if by_budget:
        return thinking or _budget(asked, effort, max_tokens)
    if not is_forced:
        # Newer models leave the text out where nobody asks for it.
        thinking = {"thinking": {"type": "adaptive", "display": "summarized"}} | thinking
    return thinking | {"effort": effort}


def _budget(asked: Asked, effort: str, max_tokens: int) -> dict[str, object]:
    if max_tokens <= _LEAST_BUDGET_TOKENS:
        if asked.drop_params:
            return {}
        message = f"this model thinks only where it may write more than {_LEAST_BUDGET_TOKENS} tokens: raise max_tokens"
        raise ProviderFailed(Failure(FailureKind.UNSUPPORTED, message, param="reasoning_effort"))
    tokens = max(_LEAST_BUDGET_TOKENS, min(max_tokens * _SHARES[effort] // 100, _MOST_BUDGET_TOKENS))
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}

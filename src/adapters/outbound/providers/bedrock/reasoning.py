"""How hard a model is to think, in its maker's words."""

from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.bedrock.models import NAME, Maker, Thinking, maker_of, thinking_of
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.failures import unsupported

_LEAST_BUDGET: Final = 1_024
_BUDGETS: Final = MappingProxyType({"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768})
_THREE_STEPS: Final = MappingProxyType(
    {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}
)


def reasoning_fields(asked: Asked) -> tuple[dict[str, Any], str | None]:
    """What stands among the model's own fields, and the effort for `outputConfig`.

    Anthropic's own `thinking` wins over OpenAI's `reasoning_effort`.

    Raises:
        ProviderFailed: UNSUPPORTED, naming the field that the model can't honour.
    """
    if "thinking" in asked.fields:
        if maker_of(asked.model) in {Maker.CLAUDE, Maker.OPAQUE}:
            return {"thinking": asked.fields["thinking"]}, None
        return _refused("thinking", asked)
    effort = asked.fields.get("reasoning_effort", "none")
    return ({}, None) if effort == "none" else _effort(asked, effort)


def _effort(asked: Asked, effort: object) -> tuple[dict[str, Any], str | None]:
    if isinstance(effort, str) and effort in _BUDGETS:
        match maker_of(asked.model):
            case Maker.CLAUDE:
                return _claude(asked, effort)
            case Maker.NOVA_2:
                return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": _THREE_STEPS[effort]}}, None
            case Maker.GPT_OSS:
                return {"reasoning_effort": _THREE_STEPS[effort]}, None
            case _:
                pass
    return _refused("reasoning_effort", asked)


def _claude(asked: Asked, effort: str) -> tuple[dict[str, Any], str | None]:
    match thinking_of(asked.model):
        case Thinking.ADAPTIVE:
            return {"thinking": {"type": "adaptive"}}, "low" if effort == "minimal" else effort
        case Thinking.BUDGET:
            # Thoughts are part of the maximum, and the answer needs some of it.
            budget = min(_BUDGETS[effort], (asked.max_tokens or _BUDGETS["xhigh"] + 1) - 1)
            if budget >= _LEAST_BUDGET:
                return {"thinking": {"type": "enabled", "budget_tokens": budget}}, None
    return _refused("reasoning_effort", asked)


def _refused(field: str, asked: Asked) -> tuple[dict[str, Any], None]:
    if asked.drop_params:
        return {}, None
    raise unsupported(field, NAME)

"""How an answer is to be made: Google's `generationConfig`."""

from typing import Any, Final

from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.gemini.model import GeminiModel

_SAME: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
# Google's own table for its OpenAI-compatible endpoint.
_BUDGETS: Final = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
_LEVELS: Final = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "XHIGH"}
_LEAST_BUDGET_OF_PRO: Final = 128

Config = dict[str, Any]


def generation_config(asked: Asked, model: GeminiModel) -> Config:
    """All of it; empty where nothing was asked."""
    fields = asked.fields
    config: Config = {theirs: fields[ours] for ours, theirs in _SAME.items() if ours in fields}
    if asked.max_tokens is not None:
        config["maxOutputTokens"] = asked.max_tokens
    if fields.get("n", 1) != 1:
        config["candidateCount"] = fields["n"]
    if stop := fields.get("stop"):
        config["stopSequences"] = [stop] if isinstance(stop, str) else stop
    if fields.get("logprobs"):
        config["responseLogprobs"] = True
        if fields.get("top_logprobs"):
            config["logprobs"] = fields["top_logprobs"]
    config |= _format(asked, model)
    thinking = _thinking(asked, model)
    return config | {"thinkingConfig": thinking} if thinking else config


def _format(asked: Asked, model: GeminiModel) -> Config:
    json = {"responseMimeType": "application/json"}
    match asked.fields.get("response_format"):
        case None | {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return dict(json)
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return json | {"responseJsonSchema": schema}
        case {"type": "json_schema"}:
            return dict(json)
        case _ if asked.drop_params:
            return {}
        case _:
            raise model.unsupported("response_format")


def _thinking(asked: Asked, model: GeminiModel) -> Config:
    """From `reasoning_effort`, or from Anthropic's `thinking`. Thoughts are told only where thinking was asked for."""
    effort, field = asked.fields.get("reasoning_effort"), "reasoning_effort"
    if effort is None:
        match asked.fields.get("thinking"):
            case None:
                return {}
            case {"type": "enabled", "budget_tokens": int(budget)}:
                return {"thinkingBudget": budget, "includeThoughts": True}
            case {"type": "disabled"}:
                effort, field = "none", "thinking"
            case _:
                return {"includeThoughts": True}
    if effort == "none":
        return _no_thinking(asked, model, field)
    known = _LEVELS if model.has_levels else _BUDGETS
    if effort not in known:
        if not asked.drop_params:
            raise model.unsupported_value(field, f"knows for {model.name!r} no such effort: take one of {_list(known)}")
        effort = "high"
    return _effort(effort, model)


def _effort(effort: str, model: GeminiModel) -> Config:
    if not model.has_levels:
        return {"thinkingBudget": _BUDGETS[effort], "includeThoughts": True}
    if effort == "minimal" and model.is_pro:
        effort = "low"
    return {"thinkingLevel": _LEVELS[effort], "includeThoughts": True}


def _no_thinking(asked: Asked, model: GeminiModel, field: str) -> Config:
    if not (model.has_levels or model.is_pro):
        return {"thinkingBudget": 0}
    if not asked.drop_params:
        raise model.unsupported_value(field, f"can not keep {model.name!r} from thinking")
    # As little as it can.
    if not model.has_levels:
        return {"thinkingBudget": _LEAST_BUDGET_OF_PRO}
    return {"thinkingLevel": "LOW" if model.is_pro else "MINIMAL"}


def _list(known: dict[str, Any]) -> str:
    return ", ".join(known)

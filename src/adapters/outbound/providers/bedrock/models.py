"""Whose model an id names, as far as the id tells: what stands beside Converse's common fields is each maker's own."""

import re
from enum import Enum, auto
from typing import Final

NAME: Final = "bedrock"

_CLAUDE: Final = re.compile(r"claude-(?:opus|sonnet|haiku)-(\d{1,2})(?:-(\d{1,2})(?!\d))?")
_CLAUDE_3: Final = re.compile(r"claude-(?:v|instant|3-)(?!7)")
_ADAPTIVE_SINCE: Final = (4, 6)


class Maker(Enum):
    """Who made the model. OPAQUE: an ARN that does not say."""

    CLAUDE = "anthropic."
    NOVA_2 = "amazon.nova-2"
    NOVA = "amazon.nova"
    COHERE = "cohere."
    GPT_OSS = "openai.gpt-oss"
    OPAQUE = "arn:"
    OTHER = ""


class Thinking(Enum):
    """How a Claude model is told to think."""

    NEVER = auto()
    BUDGET = auto()
    ADAPTIVE = auto()


def maker_of(model: str) -> Maker:
    """From ids (`eu.anthropic.…`), ARNs of foundation models and of inference profiles that hold such an id."""
    return next(maker for maker in Maker if maker.value in model)


def thinking_of(model: str) -> Thinking:
    """Of a Claude model. Budgets came with 3.7 and went with 4.6; a name without a known version is a newer one."""
    version = _CLAUDE.search(model)
    if version is not None:
        since = (int(version[1]), int(version[2] or 0))
        return Thinking.ADAPTIVE if since >= _ADAPTIVE_SINCE else Thinking.BUDGET
    if _CLAUDE_3.search(model):
        return Thinking.NEVER
    return Thinking.BUDGET if "claude-3-7" in model else Thinking.ADAPTIVE


def caches(maker: Maker) -> bool:
    """Whether its models know cache points. One that can't be told is believed to: the client asked for it."""
    return maker in {Maker.CLAUDE, Maker.NOVA, Maker.NOVA_2, Maker.OPAQUE}


def replays_reasoning(maker: Maker) -> bool:
    """Whether its models want their own reasoning back with the conversation."""
    return maker in {Maker.CLAUDE, Maker.NOVA_2, Maker.OPAQUE}

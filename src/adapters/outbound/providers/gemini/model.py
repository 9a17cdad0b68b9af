"""What a request must know of the model that it goes to."""

import re
from dataclasses import dataclass
from typing import Final

from adapters.outbound.providers.failures import unsupported
from domain.failure import Failure, FailureKind, ProviderFailed

_GENERATION: Final = re.compile(r"gemini-(\d+)")
_LEVELS_SINCE: Final = 3


@dataclass(frozen=True, slots=True)
class GeminiModel:
    """One of Google's models, at the provider of that type (`gemini` or `vertex`)."""

    name: str
    provider: str

    @property
    def has_levels(self) -> bool:
        """It thinks by levels (Gemini 3 and newer), not by budgets; names without a number are of the newest."""
        generation = _GENERATION.search(self.name)
        return generation is None or int(generation[1]) >= _LEVELS_SINCE

    @property
    def is_pro(self) -> bool:
        """One of the large ones, which can't be kept from thinking."""
        return "pro" in self.name

    @property
    def wants_signatures(self) -> bool:
        """It refuses calls of its own current turn that come back without their thought signature."""
        return "gemini" in self.name and self.has_levels

    def unsupported(self, field: str) -> ProviderFailed:
        """It can't honour this field."""
        return unsupported(field, self.provider)

    def unsupported_value(self, field: str, why: str) -> ProviderFailed:
        """It can't honour what this field says."""
        return ProviderFailed(Failure(FailureKind.UNSUPPORTED, f"{self.provider} {why}", param=field))


def refused(message: str, field: str) -> ProviderFailed:
    """The request makes no sense, whoever it went to."""
    return ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, param=field, unsent=True))

"""What each type of provider can do, and what becomes of what it can't."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.outbound.providers.failures import unsupported
from domain.chat import Endpoint

HARMLESS: Final = frozenset({"model", "stream", "stream_options", "user", "store", "metadata", "service_tier"})
"""Fields of a chat request that say how it is carried, billed or filed, and change nothing of its answer."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One type of provider.

    Attributes:
        native: Endpoints that it has itself, in their own dialect.
        translated: Endpoints that it serves by translation.
        chat_fields: Fields of a chat request that it honours; others are refused, or dropped with `drop_params`.
    """

    name: str
    native: frozenset[Endpoint]
    translated: frozenset[Endpoint]
    chat_fields: frozenset[str]

    @property
    def supports(self) -> frozenset[Endpoint]:
        """Endpoints that can be served."""
        return self.native | self.translated

    def honoured(self, fields: Mapping[str, object], *, drop_params: bool) -> dict[str, object]:
        """The fields of a chat request that it honours. An option that is null, false or empty asks for nothing.

        Raises:
            ProviderFailed: UNSUPPORTED, naming a field that it cannot honour.
        """
        kept = {}
        for name, value in fields.items():
            if name in self.chat_fields:
                if value is not None:
                    kept[name] = value
            elif name not in HARMLESS and not drop_params and not asks_nothing(name, value):
                raise unsupported(name, self.name)
        return kept


def asks_nothing(name: str, value: object) -> bool:
    """Whether an option is as good as left out."""
    return value is None or value is False or value in ([], {}, "") or (name == "n" and value == 1)

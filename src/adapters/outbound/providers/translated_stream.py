"""The open stream of a provider whose events become OpenAI's chunks."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import httpx

from adapters.outbound.providers.provider_stream import EventParser, ProviderStream
from domain.chat import Chunk

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class StreamTranslation(Protocol[E_contra]):
    """One stream's events, told in order. It has no I/O: the same events always give the same chunks."""

    def chunks(self, event: E_contra) -> Sequence[Chunk]:
        """What the event means to the client; nothing for a mere sign of life.

        Raises:
            ProviderFailed: It is an error, or nonsense.
        """
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the provider has said that this was all."""
        ...


class TranslatedStream(ProviderStream[E]):
    """Complete where its translation says so. What comes after that is not read."""

    __slots__ = ("_translation",)

    def __init__(self, response: httpx.Response, parser: EventParser[E], translation: StreamTranslation[E]) -> None:
        super().__init__(response, parser)
        self._translation = translation

    def _chunks(self, events: list[E], into: list[Chunk]) -> bool:
        translation = self._translation
        for event in events:
            into += translation.chunks(event)
            if translation.is_complete:
                return True
        return False

    def _last_chunks(self, events: list[E], into: list[Chunk]) -> bool:
        return self._chunks(events, into)

from collections.abc import Sequence
from typing import Protocol

from domain.flights import Heard, News
from domain.response_cache import Fill


class Flights(Protocol):
    """Frames of replies on their way, from the one who holds a fill of the ResponseCache to those who wait for it.

    A flight belongs to one scope, key and owner of a fill, so frames of two owners never mix; an owner takes a new name
    for each call upstream. What was told stays readable while the fill holds and for KEPT_US after it was told, whether
    the fill is given back, expires, or is revoked by a purge. A purge revokes the right to store, not the right to
    tell: here, such a fill holds on, beside the one that another gets. Both methods are atomic. Raises StateUnavailable
    where the store does not answer.
    """

    async def tell(
        self, fill: Fill, first: int, frames: Sequence[bytes], ttl_us: int, *, last: bool = False
    ) -> Heard | None:
        """Appends the frames numbered from `first` (≥ 0) on, and holds the fill for `ttl_us` (> 0) from now.

        Frames that the store has are ignored, so a call may be repeated. Where `first` is beyond what it has, nothing
        is appended and `last` is not noted: `Heard.count` says where to go on. It is less than it was where the store
        lost the flight. Without frames it only holds the fill, and nothing is stored of a flight that has none.

        `last`: no frame comes after these; what is told later is ignored. None, and nothing is appended: the fill holds
        no more, because it expired or was given back; it is another's since a purge, and nothing was told before, or
        the store lost it; or its owner told frames of an earlier, revoked fill.
        """
        ...

    async def follow(self, scope: str, key: str, owner: str, after: int) -> News:
        """The frames from number `after` (≥ 0) on; notes that somebody follows, where that owner may tell.

        One answer has about NEWS_BYTES at most, the rest comes when asked again. A flight nobody told of, or whose time
        is over, has none and has not ended.
        """
        ...

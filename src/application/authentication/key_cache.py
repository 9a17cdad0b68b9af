from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from application.change_feed import Follower
from application.ports.clock import Clock
from domain.callers import Caller
from domain.durations import SECOND_US
from domain.grant import Grant

UNKNOWN_FOR_US = 30 * SECOND_US
_MOST_KEYS = 100_000
_MOST_UNKNOWN = 10_000
_NOT_KEYS = frozenset({"price", "instance", "dead-letter", "config"})
_OWNERS = frozenset({"key", "user", "team", "member"})


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as it was found, valid or not, and who asks with it."""

    grant: Grant
    caller: Caller


class KeyCache:
    """Keys that were looked up, by a digest of the whole credential; and, for 30 s, those that nobody has.

    Of both the most recently used ones, within fixed numbers. A change of a key, its user, its team or the membership
    drops what it touches; one that can't be read drops all.

    Attributes:
        generation: Rises with every change. What was read in an earlier one may be older than the change.
    """

    def __init__(self, clock: Clock, most_keys: int = _MOST_KEYS, most_unknown: int = _MOST_UNKNOWN) -> None:
        self.generation = 0
        self._clock = clock
        self._most_keys = most_keys
        self._most_unknown = most_unknown
        self._known: OrderedDict[bytes, KnownKey] = OrderedDict()
        self._unknown_until_us: OrderedDict[bytes, int] = OrderedDict()
        self._touched_by: dict[str, set[bytes]] = {}

    def find(self, fingerprint: bytes) -> KnownKey | None:
        """The key with that fingerprint, where it is kept."""
        known = self._known.get(fingerprint)
        if known is not None:
            self._known.move_to_end(fingerprint)
        return known

    def is_unknown(self, fingerprint: bytes) -> bool:
        """Whether the store has lately said that nobody has it."""
        until_us = self._unknown_until_us.get(fingerprint)
        if until_us is None:
            return False
        if until_us <= self._clock.monotonic_us():
            del self._unknown_until_us[fingerprint]
            return False
        self._unknown_until_us.move_to_end(fingerprint)
        return True

    def keep(self, fingerprint: bytes, known: KnownKey | None, generation: int) -> bool:
        """Keeps what the store said in `generation`, None being nobody; False, and nothing, where that has passed."""
        if generation != self.generation:
            return False
        self._drop(fingerprint)
        self._unknown_until_us.pop(fingerprint, None)
        if known is None:
            self._unknown_until_us[fingerprint] = self._clock.monotonic_us() + UNKNOWN_FOR_US
            if len(self._unknown_until_us) > self._most_unknown:
                self._unknown_until_us.popitem(last=False)
            return True
        self._known[fingerprint] = known
        for target in _targets(known.grant):
            self._touched_by.setdefault(target, set()).add(fingerprint)
        if len(self._known) > self._most_keys:
            self._drop(next(iter(self._known)))
        return True

    def changed(self, target: str) -> None:
        """Drops the keys that a change of `target` touches. A key that is new also ends what was said of unknown ones.

        A budget's target is `budget:` and its owner's.
        """
        kind, _, rest = target.partition(":")
        if kind in _NOT_KEYS:
            return
        owner = rest if kind == "budget" else target
        kind, _, owner_id = owner.partition(":")
        if kind not in _OWNERS or not owner_id:
            self.lost_track()
            return
        self.generation += 1
        if kind == "key":
            self._unknown_until_us.clear()
        for fingerprint in tuple(self._touched_by.get(owner, ())):
            self._drop(fingerprint)

    def recast(self, known: Callable[[Grant], KnownKey]) -> None:
        """Who asks with a key is made anew from its grant, with no question to the store."""
        self.generation += 1
        for fingerprint, each in self._known.items():
            self._known[fingerprint] = known(each.grant)

    def lost_track(self) -> None:
        """Drops everything."""
        self.generation += 1
        self._known.clear()
        self._touched_by.clear()
        self._unknown_until_us.clear()

    def _drop(self, fingerprint: bytes) -> None:
        known = self._known.pop(fingerprint, None)
        if known is None:
            return
        for target in _targets(known.grant):
            touched = self._touched_by[target]
            touched.discard(fingerprint)
            if not touched:
                del self._touched_by[target]


def _targets(grant: Grant) -> Iterator[str]:
    """What a change must name to touch it. By the key's own words: a user that is not there may come."""
    key = grant.key
    yield f"key:{key.id}"
    if key.user_id is not None:
        yield f"user:{key.user_id}"
    if key.team_id is not None:
        yield f"team:{key.team_id}"
        if key.user_id is not None:
            yield f"member:{key.team_id}:{key.user_id}"


_follows: type[Follower] = KeyCache

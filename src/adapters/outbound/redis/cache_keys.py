"""Where the response cache and its flights keep what. One slot for each scope: `{c:<digest of the scope>}`."""

from hashlib import blake2b

_OF_ONE_REPLY = frozenset({"entry", "fill"})


class CacheKeys:
    """Names of keys, by prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.epoch = f"{prefix}{{c}}:epoch"
        self.scopes = f"{prefix}{{c}}:scopes"

    def of(self, scope: str, key: str, *names: str) -> list[str]:
        """Keys of the scope's slot; those of one reply end with its key."""
        slot = self._slot(scope)
        return [f"{slot}{name}:{key}" if name in _OF_ONE_REPLY else slot + name for name in names]

    def flight(self, scope: str, key: str, owner: str) -> str:
        """That of one owner's flight. The length tells where the key ends, whatever it and the owner consist of."""
        return f"{self._slot(scope)}flight:{len(key)}:{key}:{owner}"

    def _slot(self, scope: str) -> str:
        digest = blake2b(scope.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self._prefix}{{c:{digest}}}:"

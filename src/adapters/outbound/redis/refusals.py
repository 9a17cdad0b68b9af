"""What an error of the client library means: the store can't serve, it forbids us, or we asked wrongly."""

from redis.exceptions import (
    AskError,
    ClusterDownError,
    DataError,
    MaxConnectionsError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

# Answers for which the library has no class of its own. Of those that have one it cuts off the code.
_UNABLE_CODES = ("BUSY ", "MISCONF ", "NOREPLICAS ", "UNKILLABLE ", "NOMASTERLINK ", "ERR max number of clients")
_UNABLE = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError, AskError)

STORE_ERRORS = (RedisError, RedisClusterException, OSError, TimeoutError)
"""All that the library raises by itself; what else comes is a bug of ours."""

SILENCE = (*STORE_ERRORS, RuntimeError)
"""What asking ends with where nobody answers: of an idle connection that was reset uvloop says RuntimeError."""


def is_outage(error: BaseException) -> bool:
    """Whether the store does not answer, or answers that it can't serve now."""
    match error:
        case MaxConnectionsError() | DataError():
            return False
        case ResponseError():
            return isinstance(error, _UNABLE) or str(error).startswith(_UNABLE_CODES)
        case _:
            return isinstance(error, STORE_ERRORS)


def described(error: BaseException) -> str:
    """For the log: the kind of error and what it says. Not for clients: it may name addresses."""
    said = str(error)
    return f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__

from typing import Protocol


class GatewayRegistry(Protocol):
    """Who serves beside us: the share of a limit that is ours while the shared state is away.

    Every gateway announces itself every `ANNOUNCE_EVERY_US`; one that fell silent is counted for `LIVE_US` more.
    """

    async def announce(self) -> None:
        """Says that this gateway lives, and learns how many do. Idempotent; never fails."""
        ...

    async def leave(self) -> None:
        """This gateway is counted no more. Never fails; where it can't be said, silence says it later."""
        ...

    def count(self) -> int | None:
        """Gateways known to live, this one included; at least 1. No I/O: as of the last announcement that was heard.

        None until one was heard: nobody knows then what this gateway's share is. Right after an outage the number
        does not fall for `LIVE_US`: the others may not have announced themselves again yet.
        """
        ...

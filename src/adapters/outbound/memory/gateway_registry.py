from application.ports.gateway_registry import GatewayRegistry


class MemoryGatewayRegistry:
    """A gateway that shares nothing is alone."""

    async def announce(self) -> None:
        return

    async def leave(self) -> None:
        return

    def count(self) -> int | None:
        return 1


_conforms: type[GatewayRegistry] = MemoryGatewayRegistry

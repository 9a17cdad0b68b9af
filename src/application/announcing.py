from application.ports.clock import Clock
from application.ports.gateway_registry import GatewayRegistry
from domain.gateways import ANNOUNCE_EVERY_US


async def keep_announcing(registry: GatewayRegistry, clock: Clock) -> None:
    """Announces this gateway for ever; ends by cancellation, and then leaves."""
    try:
        while True:
            await registry.announce()
            await clock.sleep(ANNOUNCE_EVERY_US)
    finally:
        await registry.leave()

"""The contract of GatewayRegistry. Inherit it, give it the fixture it names, and every test must pass."""

from application.ports.gateway_registry import GatewayRegistry


class GatewayRegistryContract:
    """Wants `registry`, of a gateway that is alone."""

    async def test_a_gateway_counts_itself_as_soon_as_it_was_heard(self, registry: GatewayRegistry) -> None:
        assert registry.count() in {1, None}

        await registry.announce()

        assert registry.count() == 1

    async def test_a_gateway_that_is_alone_counts_one_however_often_it_says_so(self, registry: GatewayRegistry) -> None:
        for _ in range(5):
            await registry.announce()

        assert registry.count() == 1

    async def test_leaving_never_fails_and_leaves_at_least_one(self, registry: GatewayRegistry) -> None:
        await registry.leave()
        await registry.announce()
        await registry.leave()
        await registry.leave()

        assert registry.count() == 1

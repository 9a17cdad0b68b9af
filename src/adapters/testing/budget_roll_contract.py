"""The contract of BudgetRoll. Inherit it, give it the fixture it names, and every test must pass."""

from application.ports.budget_roll import BudgetRoll


class BudgetRollContract:
    """Wants `roll`, of a gateway that is alone."""

    async def test_a_gateway_hears_what_it_said_last(self, roll: BudgetRoll) -> None:
        await roll.answer(1)

        (said,) = (await roll.answer(7)).values()

        assert (said.epoch, said.age_us) == (7, 0)

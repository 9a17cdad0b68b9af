from domain.override_list import override_list
from domain.price_book import PricePeriod
from domain.pricing import Prices
from tests.unit.pricing.override_store import override

DAY_US = 86_400_000_000


def test_overrides_of_a_model_follow_each_other_by_when_they_take_effect() -> None:
    listed = override_list([override("a", 3, 3 * DAY_US), override("b", 9), override("a", 1, DAY_US)])

    assert listed.models == {
        ("openai", "a"): (PricePeriod(Prices(1, 1), DAY_US), PricePeriod(Prices(3, 3), 3 * DAY_US)),
        ("openai", "b"): (PricePeriod(Prices(9, 9), 0),),
    }
    assert (listed.day_of(("openai", "a")), listed.day_of(("openai", "b"))) == ("1970-01-04", "1970-01-01")


def test_no_overrides_are_a_list_without_prices() -> None:
    assert override_list([]).models == {}


def test_an_override_that_takes_effect_after_the_last_year_has_its_last_day() -> None:
    assert override_list([override("a", 1, 2**63 - 1)]).day_of(("openai", "a")) == "9999-12-31"

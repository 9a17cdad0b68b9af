from hypothesis import given
from hypothesis import strategies as st

from domain.chat import Usage
from domain.price_book import Priced, PriceLayer, Unpriced
from domain.pricing import Prices
from domain.worst_case import worst_case_nano

NANO = st.integers(0, 10**15)
TOKENS = st.integers(0, 10**7)
PRICES = st.builds(Prices, NANO, NANO, st.none() | NANO)
CANDIDATES = st.lists(PRICES.map(lambda prices: Priced(prices, PriceLayer.SHIPPED)), min_size=1, max_size=4)


@st.composite
def usages_within(draw: st.DrawFn, most_input: int, most_output: int) -> Usage:
    fresh_and_cached = draw(st.integers(0, most_input))
    cached = draw(st.integers(0, fresh_and_cached))
    return Usage(fresh_and_cached, draw(st.integers(0, most_output)), cached)


@given(CANDIDATES, TOKENS, TOKENS, st.data())
def test_no_candidate_costs_more_while_usage_stays_within_the_bounds(
    candidates: list[Priced], most_input: int, most_output: int, data: st.DataObject
) -> None:
    usage = data.draw(usages_within(most_input, most_output))

    bound = worst_case_nano(candidates, most_input, most_output)

    assert all(candidate.prices.cost_nano(usage) <= bound for candidate in candidates)


@given(CANDIDATES, TOKENS, TOKENS)
def test_the_bound_is_a_cost_that_can_happen(candidates: list[Priced], most_input: int, most_output: int) -> None:
    full = [Usage(most_input, most_output, cached) for cached in (0, most_input)]

    bound = worst_case_nano(candidates, most_input, most_output)

    assert bound in {candidate.prices.cost_nano(usage) for candidate in candidates for usage in full}


def test_cached_tokens_that_cost_more_than_fresh_ones_count() -> None:
    assert worst_case_nano([Priced(Prices(1_000_000, 0, 3_000_000), PriceLayer.FILE)], 7, 0) == 21


def test_part_of_a_nano_dollar_counts_as_a_whole_one() -> None:
    assert worst_case_nano([Priced(Prices(1, 0), PriceLayer.FILE)], 1, 0) == 1


def test_an_unpriced_candidate_counts_what_a_request_to_it_is_held_to_cost() -> None:
    cheap = Priced(Prices(1_000_000), PriceLayer.FILE)

    assert worst_case_nano([cheap, Unpriced("custom", "m")], 7, 0, unpriced_request_nano=10) == 10
    assert worst_case_nano([cheap, Unpriced("custom", "m")], 70, 0, unpriced_request_nano=10) == 70


def test_without_candidates_nothing_can_be_spent() -> None:
    assert worst_case_nano([], 7, 7, unpriced_request_nano=10) == 0

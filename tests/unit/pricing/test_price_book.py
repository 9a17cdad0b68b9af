import pytest

from domain.price_book import PriceBook, Priced, PriceLayer, PriceList, PricePeriod, Unpriced, undated
from domain.pricing import Prices

NOW_US = 1_000


def listed(dated: str, **prices: int) -> PriceList:
    return of("openai", dated, prices)


def of(provider: str, dated: str, prices: dict[str, int]) -> PriceList:
    return PriceList(dated, {(provider, name): (PricePeriod(Prices(price)),) for name, price in prices.items()})


def input_price(found: Priced | Unpriced) -> int | None:
    return found.prices.input if isinstance(found, Priced) else None


def test_the_strongest_layer_that_has_a_price_decides() -> None:
    shipped, file, api = listed("2026-01-01", a=1, b=1, c=1), listed("2026-02-02", a=2, b=2), listed("2026-03-03", a=3)
    book = PriceBook(shipped, file=file, api=api)

    assert book.find("openai", "a", NOW_US, Prices(4)) == Priced(Prices(4), PriceLayer.INSTANCE)
    assert book.find("openai", "a", NOW_US) == Priced(Prices(3), PriceLayer.API, "2026-03-03", "a")
    assert book.find("openai", "b", NOW_US) == Priced(Prices(2), PriceLayer.FILE, "2026-02-02", "b")
    assert book.find("openai", "c", NOW_US) == Priced(Prices(1), PriceLayer.SHIPPED, "2026-01-01", "c")


def test_an_unknown_model_is_unpriced_and_a_free_one_is_priced() -> None:
    book = PriceBook(listed("2026-01-01", free=0))

    assert book.find("openai", "other", NOW_US) == Unpriced("openai", "other")
    assert input_price(book.find("openai", "free", NOW_US)) == 0


def test_own_prices_of_nothing_are_prices() -> None:
    book = PriceBook(listed("2026-01-01", a=1))

    assert book.find("openai", "a", NOW_US, Prices()) == Priced(Prices(), PriceLayer.INSTANCE)


def test_the_next_start_is_the_first_after_now_in_any_list() -> None:
    def starting(*starts_us: int) -> PriceList:
        return PriceList("2026-01-01", {("openai", "a"): tuple(PricePeriod(Prices(), start) for start in starts_us)})

    book = PriceBook(listed("2026-01-01", a=1), file=starting(5, 20), api=starting(10))

    assert [book.next_start_us(now_us) for now_us in (0, 5, 10, 20)] == [5, 10, 20, None]


def test_another_provider_s_model_of_the_same_name_is_not_meant() -> None:
    assert input_price(PriceBook(listed("2026-01-01", a=1)).find("mistral", "a", NOW_US)) is None


@pytest.mark.parametrize(
    ("asked", "matched"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-20240806", "gpt-4o"),
        ("gpt-4o@20240806", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4-2024-05-13", "gpt-4"),
        ("gpt-4o-2024-13-06", None),
        ("gpt-4o-2024-08-32", None),
        ("gpt-4o-2024-0806", None),
        ("gpt-4-0613", None),
        ("gpt-4-turbo", None),
        ("gpt-4o-mini", None),
        ("gpt-4o-mini-2024-07-18", None),
        ("gpt-4o-2024-08-06-preview", None),
        ("ft:gpt-4o-2024-08-06", None),
        ("gpt-4o-", None),
        ("gpt", None),
        ("GPT-4o", None),
    ],
)
def test_a_name_is_matched_exactly_or_without_a_whole_date(asked: str, matched: str | None) -> None:
    book = PriceBook(of("openai", "2026-01-01", {"gpt-4": 30, "gpt-4o": 2, "gpt-4o-2024-05-13": 5}))

    found = book.find("openai", asked, NOW_US)

    assert (found.matched if isinstance(found, Priced) else None) == matched


def test_a_date_goes_only_from_the_end_and_only_once() -> None:
    assert undated("a-2024-01-02-2024-01-03") == "a-2024-01-02"
    assert undated("command-r-plus-08-2024") == "command-r-plus-08-2024"
    assert undated("mistral-large-2411") == "mistral-large-2411"


def test_a_layer_s_undated_name_wins_over_a_weaker_layer_s_exact_one() -> None:
    book = PriceBook(of("openai", "2026-01-01", {"m-2024-05-13": 5}), file=of("openai", "2026-02-02", {"m": 2}))

    assert input_price(book.find("openai", "m-2024-05-13", NOW_US)) == 2


def test_the_period_in_force_decides() -> None:
    periods = (PricePeriod(Prices(1)), PricePeriod(Prices(2), 100), PricePeriod(Prices(3), 200))
    book = PriceBook(PriceList("2026-01-01", {("openai", "a"): periods}))

    found = [input_price(book.find("openai", "a", now_us)) for now_us in (0, 99, 100, 199, 200, 10**18)]

    assert found == [1, 1, 2, 2, 3, 3]


def test_a_price_that_starts_later_leaves_the_word_to_the_next_layer_not_to_a_looser_name() -> None:
    later = (PricePeriod(Prices(9), 5_000),)
    file = PriceList("2026-02-02", {("openai", "a-2024-05-13"): later, ("openai", "a"): (PricePeriod(Prices(2)),)})
    book = PriceBook(of("openai", "2026-01-01", {"a-2024-05-13": 5}), file=file)

    assert input_price(book.find("openai", "a-2024-05-13", NOW_US)) == 5
    assert input_price(book.find("openai", "a-2024-05-13", 5_000)) == 9


def test_an_entry_checked_on_another_day_says_that_day() -> None:
    shipped = PriceList(
        "2026-02-02",
        {("groq", name): (PricePeriod(Prices(1)),) for name in ("old", "new")},
        {("groq", "old"): "2026-01-01"},
    )

    found = [PriceBook(shipped).find("groq", name, NOW_US) for name in ("old", "new")]

    assert [each.dated for each in found if isinstance(each, Priced)] == ["2026-01-01", "2026-02-02"]


MAKERS = PriceList(
    "2026-01-01",
    {
        key: (PricePeriod(Prices(price)),)
        for price, key in enumerate(
            [("openai", "gpt-4o"), ("anthropic", "claude-opus-4"), ("gemini", "gemini-2.5-pro"), ("azure", "own")], 1
        )
    },
)


@pytest.mark.parametrize(
    ("provider", "model", "price"),
    [
        ("azure", "gpt-4o", 1),
        ("azure", "gpt-4o-2024-08-06", 1),
        ("azure", "own", 4),
        ("azure", "our-chat-deployment", None),
        ("azure", "claude-opus-4", None),
        ("bedrock", "anthropic.claude-opus-4-20250514-v1:0", 2),
        ("bedrock", "global.anthropic.claude-opus-4-20250514-v1:0", 2),
        ("bedrock", "us.anthropic.claude-opus-4", 2),
        ("bedrock", "amazon.claude-opus-4", None),
        ("bedrock", "claude-opus-4", None),
        ("bedrock", "us.anthropic.claude-opus-4-1-v1:0", None),
        ("vertex", "claude-opus-4@20250514", 2),
        ("vertex", "gemini-2.5-pro", 3),
        ("vertex", "gemini-2.5-pro-tts", None),
        ("vertex", "gpt-4o", None),
        ("openrouter", "openai/gpt-4o", None),
        ("custom", "gpt-4o", None),
    ],
)
def test_a_reseller_takes_the_maker_s_price_where_the_name_tells_the_maker(
    provider: str, model: str, price: int | None
) -> None:
    assert input_price(PriceBook(MAKERS).find(provider, model, NOW_US)) == price


def test_a_reseller_s_own_price_wins_over_the_maker_s() -> None:
    models = {("azure", "m"): (PricePeriod(Prices(9)),), ("openai", "m-2024-05-13"): (PricePeriod(Prices(1)),)}

    assert input_price(PriceBook(PriceList("2026-01-01", models)).find("azure", "m-2024-05-13", NOW_US)) == 9


def test_a_reseller_s_own_price_wins_over_the_maker_s_in_a_stronger_layer() -> None:
    book = PriceBook(of("azure", "2026-01-01", {"m": 9}), file=of("openai", "2026-02-02", {"m": 1, "n": 2}))

    assert input_price(book.find("azure", "m", NOW_US)) == 9
    assert book.find("azure", "n", NOW_US) == Priced(Prices(2), PriceLayer.FILE, "2026-02-02", "n")

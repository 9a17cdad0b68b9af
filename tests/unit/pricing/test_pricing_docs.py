from pathlib import Path

from adapters.outbound.pricing.price_list_file import read_price_list, shipped_price_list
from domain.price_book import PriceBook, Priced, PriceLayer

PAGE = (Path(__file__).parents[3] / "docs" / "pricing.md").read_text(encoding="utf-8")


def test_the_page_on_prices_says_the_date_of_the_list_that_ships() -> None:
    assert f"dated\n{shipped_price_list().dated}." in PAGE


def test_the_example_on_the_page_is_a_list_that_overrides_the_one_that_ships(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(PAGE.partition("```json\n")[2].partition("```")[0], encoding="utf-8")

    found = PriceBook(shipped_price_list(), file=read_price_list(path)).find("openai", "gpt-4o", 0)

    assert isinstance(found, Priced)
    assert (found.layer, found.prices.input, found.dated) == (PriceLayer.FILE, 2_250_000_000, "2026-11-01")

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.outbound.pricing import price_list_file
from adapters.outbound.pricing.price_fields import PriceListError
from adapters.outbound.pricing.price_list_file import read_price_list, shipped_price_list
from domain.chat import Usage
from domain.price_book import PriceBook, Priced, PriceList, PricePeriod, Unpriced
from domain.pricing import Prices

KEY = ("openai", "m")
GOOD = {"input": "2.5", "output": "10"}
NEW_YEAR_US = 1_798_761_600_000_000


def read(tmp_path: Path, document: object) -> PriceList:
    return read_text(tmp_path, json.dumps(document))


def read_text(tmp_path: Path, content: str) -> PriceList:
    path = tmp_path / "prices.json"
    path.write_text(content, encoding="utf-8")
    return read_price_list(path)


def with_entry(entry: object) -> dict[str, Any]:
    return {"dated": "2026-01-31", "providers": {"openai": {"models": {"m": entry}}}}


def refusal(tmp_path: Path, document: object) -> str:
    with pytest.raises(PriceListError) as refused:
        read(tmp_path, document)
    return str(refused.value).removeprefix(f"{tmp_path / 'prices.json'}: ")


def test_prices_are_read_exactly(tmp_path: Path) -> None:
    found = read(tmp_path, with_entry({"input": "0.000000001", "output": "1000000", "cached_input": "0.30"}))

    assert found.models == {KEY: (PricePeriod(Prices(1, 10**15, 300_000_000)),)}
    assert found.day_of(KEY) == "2026-01-31"


def test_a_price_without_cached_input_leaves_it_open(tmp_path: Path) -> None:
    assert read(tmp_path, with_entry(GOOD)).models[KEY][0].prices.cached_input is None


def test_periods_start_at_midnight_utc(tmp_path: Path) -> None:
    found = read(tmp_path, with_entry([GOOD, {"input": "5", "output": "20", "from": "2027-01-01"}]))

    assert [period.starts_us for period in found.models[KEY]] == [None, NEW_YEAR_US]
    assert [period.prices.input for period in found.models[KEY]] == [2_500_000_000, 5_000_000_000]


def test_the_day_of_the_entry_wins_over_the_provider_s_and_that_over_the_list_s(tmp_path: Path) -> None:
    section = {"dated": "2026-01-20", "source": "a page", "models": {"a": GOOD, "b": {**GOOD, "dated": "2026-01-10"}}}
    document = {"dated": "2026-01-31", "providers": {"x": section, "y": {"models": {"c": GOOD}}}}

    found = read(tmp_path, document)

    assert [found.day_of(key) for key in found.models] == ["2026-01-20", "2026-01-10", "2026-01-31"]


@pytest.mark.parametrize(
    ("amount", "complaint"),
    [
        (2.5, "openai.m.input: expected dollars per 1,000,000 tokens in quotes, found 2.5"),
        (2, "openai.m.input: expected dollars per 1,000,000 tokens in quotes, found 2"),
        (True, "openai.m.input: expected dollars per 1,000,000 tokens in quotes, found True"),
        (None, "openai.m.input: expected dollars per 1,000,000 tokens in quotes, found None"),
        ("cheap", "openai.m.input: expected a decimal number, found 'cheap'"),
        ("", "openai.m.input: expected a decimal number, found ''"),
        ("-1", "openai.m.input: expected 0 to 1000000 dollars, found '-1'"),
        ("-0", "openai.m.input: expected 0 to 1000000 dollars, found '-0'"),
        ("NaN", "openai.m.input: expected 0 to 1000000 dollars, found 'NaN'"),
        ("sNaN", "openai.m.input: expected 0 to 1000000 dollars, found 'sNaN'"),
        ("Infinity", "openai.m.input: expected 0 to 1000000 dollars, found 'Infinity'"),
        ("1000000.1", "openai.m.input: expected 0 to 1000000 dollars, found '1000000.1'"),
        ("0.0000000001", "openai.m.input: finer than a nano-dollar per 1,000,000 tokens: '0.0000000001'"),
        ("1e-99999", "openai.m.input: finer than a nano-dollar per 1,000,000 tokens: '1e-99999'"),
    ],
)
def test_an_amount_that_is_none_is_refused(tmp_path: Path, amount: object, complaint: str) -> None:
    assert refusal(tmp_path, with_entry({"input": amount, "output": "1"})) == complaint


def test_an_amount_finer_than_decimal_s_precision_is_refused_too(tmp_path: Path) -> None:
    fine = "1." + "0" * 40 + "1"

    assert "finer than a nano-dollar" in refusal(tmp_path, with_entry({"input": fine, "output": "1"}))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "the list: expected an object, found []"),
        ({"providers": {}}, "dated: expected a day such as 2026-01-31, found None"),
        ({"dated": "2026-02-30", "providers": {}}, "dated: expected a day such as 2026-01-31, found '2026-02-30'"),
        ({"dated": "20260131", "providers": {}}, "dated: expected a day such as 2026-01-31, found '20260131'"),
        ({"dated": "2026-01-31"}, "providers: expected an object, found None"),
        (
            {"dated": "2026-01-31", "providers": {}, "date": 1},
            "the list: unknown key 'date'; known are dated, providers",
        ),
        (
            {"dated": "2026-01-31", "providers": {"x": {"model": {}}}},
            "x: unknown key 'model'; known are dated, models, source",
        ),
        ({"dated": "2026-01-31", "providers": {"x": {}}}, "x.models: expected an object, found None"),
        (
            {"dated": "2026-01-31", "providers": {"x": {"source": " ", "models": {}}}},
            "x.source: expected a text, found ' '",
        ),
        (
            {"dated": "2026-01-31", "providers": {"x": {"models": {"": GOOD}}}},
            "a name in x.models: expected a text, found ''",
        ),
        (with_entry("2.5"), "openai.m: expected an object, found '2.5'"),
        (with_entry([]), "openai.m: no prices"),
        (with_entry({"input": "1"}), "openai.m: needs both 'input' and 'output', or 'unit'"),
        (
            with_entry({**GOOD, "cache": "1"}),
            "openai.m: unknown key 'cache'; known are cached_input, dated, from, input, output, source, unit",
        ),
        (with_entry({**GOOD, "dated": 2026}), "openai.m.dated: expected a day such as 2026-01-31, found 2026"),
        (with_entry({**GOOD, "from": "soon"}), "openai.m.from: expected a day such as 2026-01-31, found 'soon'"),
        (with_entry({**GOOD, "source": ""}), "openai.m.source: expected a text, found ''"),
        (
            with_entry([GOOD, GOOD]),
            "openai.m: each of several prices needs a 'from' that is later than the one before",
        ),
        (
            with_entry([{**GOOD, "from": "2026-02-01"}, {**GOOD, "from": "2026-02-01"}]),
            "openai.m: each of several prices needs a 'from' that is later than the one before",
        ),
    ],
)
def test_a_list_that_says_something_else_is_refused_with_its_place(
    tmp_path: Path, document: object, complaint: str
) -> None:
    assert refusal(tmp_path, document) == complaint


def test_a_key_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    entry = json.dumps(GOOD)
    content = f'{{"dated": "2026-01-31", "providers": {{"x": {{"models": {{"m": {entry}, "m": {entry}}}}}}}}}'

    with pytest.raises(PriceListError, match="the key 'm' stands there twice"):
        read_text(tmp_path, content)


@pytest.mark.parametrize("content", ["", "{", "dated: 2026-01-31", "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(PriceListError, match=r"prices\.json: not JSON: "):
        read_text(tmp_path, content)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(b"\xff\xfe")

    with pytest.raises(PriceListError, match="not JSON"):
        read_price_list(tmp_path / "prices.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceListError, match=r"nowhere\.json: No such file"):
        read_price_list(tmp_path / "nowhere.json")


def test_the_list_that_ships_is_usable_and_dated() -> None:
    shipped = shipped_price_list()
    newest = date.fromisoformat(shipped.dated)

    assert all(date.fromisoformat(shipped.day_of(key)) <= newest for key in shipped.models)
    assert {provider for provider, _ in shipped.models} >= {
        "openai",
        "anthropic",
        "gemini",
        "mistral",
        "groq",
        "cohere",
    }


def test_every_provider_of_the_list_that_ships_names_its_source() -> None:
    path = Path(price_list_file.__file__).with_name("price_list.json")
    document = json.loads(path.read_text(encoding="utf-8"))

    assert all("https://" in section["source"] for section in document["providers"].values())


@pytest.mark.parametrize(
    ("provider", "model", "input_nano", "dated"),
    [
        ("openai", "gpt-4o-2024-08-06", 2_500_000_000, "2026-09-07"),
        ("openai", "gpt-4o-2024-05-13", 5_000_000_000, "2025-06-03"),
        ("azure", "gpt-4o-mini", 150_000_000, "2026-09-07"),
        ("azure", "gpt-5.6-sol", 5_000_000_000, "2026-09-07"),
        ("anthropic", "claude-haiku-4-5-20251001", 1_000_000_000, "2026-09-07"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3_000_000_000, "2026-09-07"),
        ("groq", "llama-3.3-70b-versatile", 590_000_000, "2026-08-05"),
    ],
)
def test_the_list_that_ships_prices_a_well_known_model(provider: str, model: str, input_nano: int, dated: str) -> None:
    found = PriceBook(shipped_price_list()).find(provider, model, NEW_YEAR_US)

    assert isinstance(found, Priced)
    assert (found.prices.input, found.dated) == (input_nano, dated)


def test_the_list_that_ships_prices_no_model_by_a_part_of_its_name() -> None:
    book = PriceBook(shipped_price_list())
    unlisted = ["gpt-4", "gpt-4-0613", "gpt-4o-audio-preview-2024-12-17", "gpt-3.5-turbo-1106", "o1-preview-2024-09-12"]

    assert [book.find("openai", name, 0) for name in unlisted] == [Unpriced("openai", name) for name in unlisted]


def test_cached_input_never_costs_more_than_fresh_input_in_the_list_that_ships() -> None:
    every = [period.prices for periods in shipped_price_list().models.values() for period in periods]

    assert all(prices.cached_input is None or prices.cached_input <= prices.input for prices in every)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "cost_nano"),
    [
        ("openai", "whisper-1", Usage(9, 5, units=60), 6_000_000),
        ("openai", "tts-1", Usage(250, 0, units=1_000), 15_000_000),
        ("azure", "tts-1-hd", Usage(250, 0, units=1_000), 30_000_000),
        ("openai", "gpt-4o-mini-tts", Usage(1_000, 1_000, units=4_000), 12_600_000),
        ("openai", "gpt-image-1-mini", Usage(100, 1_056, units=1), 8_648_000),
        ("openai", "omni-moderation-latest", Usage(1_000, 0, units=1), 0),
        ("openai", "omni-moderation-2024-09-26", Usage(1_000, 0, units=1), 0),
        ("groq", "whisper-large-v3", Usage(9, 5, units=3_600), 111_000_000),
        ("groq", "whisper-large-v3-turbo", Usage(9, 5, units=3_600), 40_000_000),
    ],
)
def test_the_list_that_ships_prices_what_is_no_text(provider: str, model: str, usage: Usage, cost_nano: int) -> None:
    found = PriceBook(shipped_price_list()).find(provider, model, 0)

    assert isinstance(found, Priced)
    assert found.prices.cost_nano(usage) == cost_nano

from pathlib import Path

import pytest

from bootstrap.configuration_error import ConfigurationError
from bootstrap.price_lists import configured_price_list
from bootstrap.settings.sections import PricingSettings
from domain.pricing import Prices

LIST = '{"dated": "2026-11-01", "providers": {"openai": {"models": {"gpt": {"input": "%s", "output": "2"}}}}}'


def test_without_a_file_there_is_no_list() -> None:
    assert configured_price_list(PricingSettings()) is None


def test_the_configured_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(LIST % "1", encoding="utf-8")

    listed = configured_price_list(PricingSettings(file=str(path)))

    assert listed is not None
    assert listed.models["openai", "gpt"][0].prices == Prices(1_000_000_000, 2_000_000_000)


def test_a_list_with_an_error_names_the_key_the_file_and_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(LIST % "-1", encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        configured_price_list(PricingSettings(file=str(path)))

    (line,) = caught.value.lines
    assert line.startswith(f"pricing.file: {path}: openai.gpt.input: expected 0 to")


def test_a_list_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"pricing\.file: .*missing\.json: No such file"):
        configured_price_list(PricingSettings(file=str(tmp_path / "missing.json")))

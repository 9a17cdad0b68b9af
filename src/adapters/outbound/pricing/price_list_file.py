"""Price lists as JSON files: the one that ships with the package, and the one that `pricing.file` names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from adapters.outbound.pricing.price_fields import (
    PriceListError,
    day,
    entries,
    objects,
    periods,
    refuse_unknown,
    text,
)
from domain.price_book import PriceList, PricePeriod

_SHIPPED: Final = Path(__file__).with_name("price_list.json")
_PROVIDER: Final = frozenset({"dated", "source", "models"})


def shipped_price_list() -> PriceList:
    """The list inside the package."""
    return read_price_list(_SHIPPED)


def read_price_list(path: str | Path) -> PriceList:
    """The list in that file.

    Raises:
        PriceListError: It can't be read, or something in it is not as it should be. No part of it is used then.
    """
    try:
        return _parse(json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_without_duplicates))
    except PriceListError as error:
        # A name in the list may hold line breaks.
        raise PriceListError(f"{path}: {' '.join(str(error).splitlines())}") from None
    except OSError as error:
        raise PriceListError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise PriceListError(f"{path}: not JSON: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise PriceListError(f"the key {name!r} stands there twice")
        found[name] = value
    return found


def _parse(document: object) -> PriceList:
    top = objects(document, "the list")
    refuse_unknown(top, {"dated", "providers"}, "the list")
    dated = day(top.get("dated"), "dated").isoformat()
    models: dict[tuple[str, str], tuple[PricePeriod, ...]] = {}
    days: dict[tuple[str, str], str] = {}
    for provider, value in objects(top.get("providers"), "providers").items():
        _add_provider(provider, objects(value, provider), models, days)
    return PriceList(dated, models, {key: of_entry for key, of_entry in days.items() if of_entry != dated})


def _add_provider(
    provider: str,
    section: Mapping[str, Any],
    models: dict[tuple[str, str], tuple[PricePeriod, ...]],
    days: dict[tuple[str, str], str],
) -> None:
    refuse_unknown(section, _PROVIDER, provider)
    if "source" in section:
        text(section["source"], f"{provider}.source")
    own_day = day(section["dated"], f"{provider}.dated").isoformat() if "dated" in section else None
    for model, value in objects(section.get("models"), f"{provider}.models").items():
        where = f"{provider}.{text(model, f'a name in {provider}.models')}"
        found = entries(value, where)
        key = (provider, model)
        models[key] = periods(found, where)
        # The last that says a day: later periods of a model come from the same or a later look at its source.
        if days_said := [entry["dated"] for entry in found if "dated" in entry] or ([own_day] if own_day else []):
            days[key] = days_said[-1]

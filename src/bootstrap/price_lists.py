"""The price list that the configuration names."""

from adapters.outbound.pricing.price_fields import PriceListError
from adapters.outbound.pricing.price_list_file import read_price_list
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings.sections import PricingSettings
from domain.price_book import PriceList


def configured_price_list(settings: PricingSettings) -> PriceList | None:
    """The list in `pricing.file`; None where none is named.

    Raises:
        ConfigurationError: It can't be read, or an entry is wrong; the message names both.
    """
    if not settings.file:
        return None
    try:
        return read_price_list(settings.file)
    except PriceListError as error:
        raise ConfigurationError([f"pricing.file: {error}"]) from error

"""What the container reads off its parts, each time it is asked."""

from application.ports.catalog_source import CatalogSource
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig


def breaker_of(source: CatalogSource) -> CircuitBreakerConfig:
    """As it is configured now."""
    return source.current()[1].breaker

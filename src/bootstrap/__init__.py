"""The composition root. `Container` joins the parts, `create_app` gives the web application."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bootstrap.container import Container
    from bootstrap.embedding import create_app

__all__ = ["Container", "create_app"]


def __getattr__(name: str) -> Any:
    """What the container names takes seconds to import, and most commands need none of it."""
    match name:
        case "Container":
            from bootstrap.container import Container  # noqa: PLC0415 - see above

            return Container
        case "create_app":
            from bootstrap.embedding import create_app  # noqa: PLC0415 - see above

            return create_app
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

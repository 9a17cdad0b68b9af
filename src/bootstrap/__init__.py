"""The composition root. `Container` joins the parts, `create_app` gives the web application."""

from bootstrap.container import Container
from bootstrap.embedding import create_app

__all__ = ["Container", "create_app"]

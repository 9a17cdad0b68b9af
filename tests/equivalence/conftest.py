from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test-long` runs them too, with all of their examples."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("histories")

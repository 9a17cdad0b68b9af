"""Which tests run in one worker, one after the other: those that share what takes long to start.

That is a file, so that what a module starts is started once; of the end-to-end tests also a folder, which shares
gateways.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

FOLDER = "tests/e2e/"


def together(node_id: str) -> str:
    """The name of what a test belongs to."""
    path = node_id.partition("::")[0]
    folder, slash, _ = path.removeprefix(FOLDER).rpartition("/")
    return f"{FOLDER}{folder}" if path.startswith(FOLDER) and slash else path


class KeptTogether(LoadScopeScheduling):  # type: ignore[misc]
    """As `--dist loadfile`, by `together`."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> KeptTogether:
    return KeptTogether(config, log)

"""The command line, where lite mode may have several workers: what they share is nothing, which tests can see."""

from collections.abc import Mapping

import bootstrap.cli
import bootstrap.server
from bootstrap.settings import ModeDecision, Settings, resolve_mode


def _as_if_alone(settings: Settings, environ: Mapping[str, str]) -> ModeDecision:
    server = settings.server.model_copy(update={"workers": 1})
    return resolve_mode(settings.model_copy(update={"server": server}), environ)


if __name__ == "__main__":
    bootstrap.cli.resolve_mode = _as_if_alone  # type: ignore[attr-defined]  # not for users: a test's private door
    bootstrap.server.resolve_mode = _as_if_alone  # type: ignore[attr-defined]
    bootstrap.cli.main()

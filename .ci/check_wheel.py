"""Says whether what is installed is the wheel, whole, and nothing else is in reach."""

import sys
import sysconfig
from importlib import import_module
from pathlib import Path

PACKAGES = ("domain", "application", "adapters", "bootstrap")
# What is read from beside the code, and no import would miss.
DATA = {
    "adapters/outbound/redis/lua/README.md": "the scripts stayed behind",
    "adapters/outbound/pricing/price_list.json": "models would have no price",
}
# The interpreter's own set-up brings this one; every other .pth file may lead back to a source tree.
HARMLESS_PTH = {"distutils-precedence.pth"}


def complaints(site: Path) -> list[str]:
    """One line for everything that is not as it should be."""
    found = [
        f"{name} comes from {origin}, not from {site}"
        for name in PACKAGES
        if not (origin := Path(import_module(name).__file__ or "")).is_relative_to(site)
    ]
    found += [f"the wheel holds no {name}: {what}" for name, what in DATA.items() if not (site / name).is_file()]
    found += [f"{path.name} may put other code on the path" for path in _path_files(site)]
    return found


def _path_files(site: Path) -> list[Path]:
    return [path for path in sorted(site.glob("*.pth")) if path.name not in HARMLESS_PTH]


if __name__ == "__main__":
    wrong = complaints(Path(sysconfig.get_path("purelib")).resolve())
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.exit(bool(wrong))

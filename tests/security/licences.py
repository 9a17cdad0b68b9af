"""`python -m tests.security.licences` writes docs/licences.md: what is installed to serve, and under which licence."""

import re
from importlib.metadata import PackageNotFoundError, metadata

from tests.architecture.source_tree import ROOT

DOCUMENT = ROOT / "docs" / "licences.md"
LOCK = ROOT / "requirements" / "runtime.txt"
# All let whoever sells a service or a product use them unchanged. MPL-2.0 asks for the source of its own files alone.
ALLOWED = {
    *("Apache-2.0", "MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "PSF-2.0", "MPL-2.0"),
}
# Installed on other systems only, so that their metadata is not at hand everywhere.
ELSEWHERE = {"async-timeout": "Apache-2.0", "colorama": "BSD-3-Clause", "uvloop": "Apache-2.0 OR MIT"}
_SHORT = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_HEAD = """# Licences of what is installed to serve

Made from the metadata of the packages in `requirements/runtime.txt` by `python -m tests.security.licences`; a test
fails where it is out of date, and where a licence is none of {allowed}.
Moongate itself is under Apache-2.0. Nothing is vendored: no code of others stands in this repository or in its wheel.

| package | licence |
| --- | --- |
"""


def locked() -> list[str]:
    """The packages that are installed to serve, on whichever system."""
    return sorted(set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)))


def licence_of(package: str) -> str:
    """As its maker says; an expression of SPDX where there is one. `unknown` where nobody says."""
    if package in ELSEWHERE:
        return ELSEWHERE[package]
    try:
        told = metadata(package)
    except PackageNotFoundError:
        return "unknown"
    if "License-Expression" in told:
        return told["License-Expression"]
    kinds = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License")]
    if not kinds and "License" in told:
        kinds = [told["License"]]
    return " OR ".join(sorted({_SHORT.get(kind, kind) for kind in kinds})) or "unknown"


def is_allowed(licence: str) -> bool:
    """Whether each licence that is named is allowed, whichever of them one may choose."""
    return {part.strip("() ") for part in re.split(r" (?:AND|OR) ", licence)} <= ALLOWED


def licences_page() -> str:
    """The page's whole text."""
    head = _HEAD.format(allowed=", ".join(sorted(ALLOWED)))
    return head + "".join(f"| {package} | {licence_of(package)} |\n" for package in locked())


if __name__ == "__main__":
    DOCUMENT.write_text(licences_page(), encoding="utf-8")

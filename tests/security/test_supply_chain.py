"""What is installed brings no code that runs by itself, and may be sold. That all pins have hashes,
tests/architecture/test_requirements.py shows.

LiteLLM 1.82.7 and 1.82.8 carried a `.pth` file, which Python runs at each start, that stole credentials.
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.source_tree import ROOT, pyproject
from tests.security.licences import ALLOWED, DOCUMENT, ELSEWHERE, is_allowed, licence_of, licences_page, locked

RUN_AT_START = {".pth", ".start"}
CUSTOMIZE = {"sitecustomize.py", "usercustomize.py"}
IN_THE_WHEEL = {".py", ".lua", ".json", ".md"}


def runs_at_start(path: str) -> bool:
    return Path(path).suffix in RUN_AT_START or Path(path).name in CUSTOMIZE


@pytest.mark.parametrize("package", locked())
def test_no_package_that_serves_runs_code_when_python_starts(package: str) -> None:
    try:
        found = files(package)
    except PackageNotFoundError:
        assert package in ELSEWHERE
        return

    assert found
    assert [str(path) for path in found if runs_at_start(str(path))] == []


def test_the_wheel_holds_the_product_and_nothing_that_runs_by_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()

    packages = {Path(name).name for name in pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == packages
    assert [name for name in names if runs_at_start(name)] == []
    inside = [name for name in names if ".dist-info/" not in name]
    assert {Path(name).suffix for name in inside} <= IN_THE_WHEEL


def test_every_licence_may_be_used_in_what_is_sold() -> None:
    assert {package: licence for package in locked() if not is_allowed(licence := licence_of(package))} == {}


def test_the_page_of_licences_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == licences_page()


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "MIT AND AGPL-3.0-or-later", "unknown", "", "SSPL-1.0 OR MIT"])
def test_other_licences_are_seen(licence: str) -> None:
    assert not is_allowed(licence)
    assert is_allowed("(Apache-2.0 OR MIT)")
    assert licence not in ALLOWED


@pytest.mark.parametrize("path", ["evil.pth", "a/b.pth", "sitecustomize.py", "usercustomize.py", "x.start"])
def test_what_runs_at_start_is_seen(path: str) -> None:
    assert runs_at_start(path)

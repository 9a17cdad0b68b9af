"""A suite that can't run says why; in CI that is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

AT_RUN = "import pytest\n\ndef test_it():\n    pytest.skip('no server')\n"
AT_COLLECTION = "import pytest\n\npytest.skip('no server', allow_module_level=True)\n"
BY_MARK = "import pytest\n\n@pytest.mark.skip(reason='no server')\ndef test_it():\n    pass\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test_it():\n    assert 0\n"


def run_pytest(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p tests.no_skips\n", encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder)],
        cwd=folder,
        env={**environment, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", [AT_RUN, AT_COLLECTION, BY_MARK], ids=["at run", "at collection", "by mark"])
def test_a_skip_fails_in_ci_and_names_its_reason(tmp_path: Path, source: str) -> None:
    result = run_pytest(tmp_path, source, ci="true")
    assert result.returncode in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}
    assert "no server" in result.stdout


def test_a_skip_is_only_reported_elsewhere(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, AT_RUN, ci="")
    assert result.returncode == pytest.ExitCode.OK
    assert "1 skipped" in result.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, EXPECTED_FAILURE, ci="true").returncode == pytest.ExitCode.OK

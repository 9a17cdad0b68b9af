"""In CI a test that is skipped has failed: a suite that can't run must not look like one that passed."""

import os
from collections.abc import Generator

import pytest

REQUIRED = os.environ.get("CI", "").lower() in {"1", "true"}


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRED and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse(report)
    return report

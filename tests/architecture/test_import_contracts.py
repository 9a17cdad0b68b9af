"""The import contracts hold, and each of them is seen to fail: one that can't is no contract."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, SRC, pyproject

ONE_WAY = "Imports point one way"
IN_AND_OUT = "Inbound and outbound adapters do not know each other"
OUTBOUND = "Outbound adapters do not know each other"
TEST_KIT = "Product code never imports the test kit"
PORTS = "Ports know nothing of use cases"
FRAMEWORK = "Domain and application import no framework"
CONTAINER = "Only the composition root knows the container library"
DATABASE = "Only the SQL adapters know the database libraries"

# Contract, the folder where the violation is planted, and what it imports.
VIOLATIONS = [
    (ONE_WAY, "domain", "application.errors"),
    (ONE_WAY, "application", "adapters.inbound"),
    (ONE_WAY, "adapters", "bootstrap"),
    (IN_AND_OUT, "adapters/inbound/http", "adapters.outbound.memory"),
    (IN_AND_OUT, "adapters/outbound/memory", "adapters.inbound.http"),
    (OUTBOUND, "adapters/outbound/memory", "adapters.outbound.system"),
    (OUTBOUND, "adapters/outbound/providers", "adapters.outbound.telemetry"),
    (TEST_KIT, "adapters/outbound/memory", "adapters.testing"),
    (TEST_KIT, "bootstrap", "adapters.testing"),
    (PORTS, "application/ports", "application.use_cases"),
    (FRAMEWORK, "domain", "pydantic"),
    (FRAMEWORK, "application", "quart"),
    (FRAMEWORK, "application", "redis"),
    (CONTAINER, "adapters/inbound/http", "dependency_injector"),
    (DATABASE, "bootstrap", "sqlalchemy"),
    (DATABASE, "adapters/outbound/memory", "asyncpg"),
]


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


def test_each_contract_is_broken_once() -> None:
    contracts = [contract["name"] for contract in pyproject()["tool"]["importlinter"]["contracts"]]
    assert sorted({name for name, _, _ in VIOLATIONS}) == sorted(contracts)


@pytest.mark.parametrize(("contract", "folder", "imported"), VIOLATIONS)
def test_a_violation_breaks_its_contract(tree: Path, contract: str, folder: str, imported: str) -> None:
    (tree / "src" / folder / "planted.py").write_text(f"import {imported}\n", encoding="utf-8")
    result = lint_imports(tree)
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout

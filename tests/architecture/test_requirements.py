"""What is installed is locked: exact versions, pinned by hash, and the same ones for running and for testing."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, pyproject

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_PIN = re.compile(r"([a-z0-9-]+)==([\w.]+)(?: ; ([^\\]*?))?\s")


def requirements_of(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def unpinned(text: str) -> list[str]:
    lines = requirements_of(text)
    return [line for line in lines if _PIN.match(f"{line} ") is None or _HASH.search(line) is None]


def pins_of(path: Path) -> set[tuple[str, str]]:
    matches = (_PIN.match(line) for line in requirements_of(path.read_text(encoding="utf-8")))
    return {(match[1], match[2]) for match in matches if match is not None}


def names_of(path: Path) -> set[str]:
    return {name for name, _ in pins_of(path)}


def _wanted(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_each_requirement_is_pinned_by_version_and_hash(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert requirements_of(text) != []
    assert unpinned(text) == []


def test_tests_run_on_the_versions_that_are_served() -> None:
    runtime, dev = pins_of(ROOT / "requirements/runtime.txt"), pins_of(ROOT / "requirements/dev.txt")
    assert runtime - dev == set()


def test_locks_hold_what_the_project_asks_for() -> None:
    project, groups = pyproject()["project"], pyproject()["dependency-groups"]
    locks = {path.stem: names_of(path) for path in LOCKS}
    assert _wanted(project["dependencies"]) | _wanted(groups["build"]) <= locks["runtime"]
    extras = {name for extra in project["optional-dependencies"].values() for name in _wanted(extra)}
    assert extras | _wanted(groups["dev"]) <= locks["dev"]
    assert _wanted(groups["model"]) == locks["model"]


@pytest.mark.parametrize(
    "line",
    [
        "quart",
        "quart>=0.22 --hash=sha256:" + "0" * 64,
        "quart==0.22.0",
        "quart==0.22.0 --hash=md5:00",
        "--find-links somewhere",
        "quart @ file:quart.whl",
    ],
)
def test_a_requirement_that_is_not_pinned_is_seen(line: str) -> None:
    assert unpinned(f"{line}\n") == [line]

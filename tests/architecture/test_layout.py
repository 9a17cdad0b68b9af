"""The tree keeps its grain."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, SRC, TESTS, pyproject, shown, text_files

LAYERS = {"domain", "application", "adapters", "bootstrap"}

# Put together here, so that this file does not hold what it forbids.
_HOSTS = "|".join((r"py" + r"pi\.org", r"python" + r"hosted\.org", r"npm" + r"js\.(?:org|com)", r"crates" + r"\.io"))
_FOLDERS = "home|Users|root|work|opt"
MACHINE = re.compile(rf"(?:{_HOSTS})|(?<![\w.~$}}/-])/(?:{_FOLDERS})/[\w.]")


def folders_without_init(root: Path) -> list[Path]:
    """Folders that hold Python, directly or below, and are no package."""
    inhabited = {parent for path in root.rglob("*.py") for parent in path.parents if parent.is_relative_to(root)}
    return sorted(folder for folder in inhabited if not (folder / "__init__.py").is_file())


def test_source_has_the_four_layers_and_nothing_beside_them() -> None:
    assert {path.name for path in SRC.iterdir() if path.name != "__pycache__"} == LAYERS
    assert folders_without_init(SRC) == [SRC]


def test_the_layers_are_those_of_the_contract_and_of_the_wheel() -> None:
    tool = pyproject()["tool"]
    layers = next(contract for contract in tool["importlinter"]["contracts"] if contract["type"] == "layers")["layers"]
    assert layers == ["bootstrap", "adapters", "application", "domain"]
    assert set(tool["importlinter"]["root_packages"]) == LAYERS
    assert set(tool["hatch"]["build"]["targets"]["wheel"]["packages"]) == {f"src/{name}" for name in LAYERS}


def test_each_folder_of_tests_is_a_package() -> None:
    assert folders_without_init(TESTS) == []


def test_no_folder_of_tests_is_named_after_a_layer() -> None:
    assert [shown(path) for path in TESTS.iterdir() if path.name in LAYERS] == []


def test_scripts_travel_in_the_wheel_from_a_folder_that_exists() -> None:
    included = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"lua": "adapters/outbound/redis/lua"}
    assert (ROOT / "lua/README.md").stat().st_size > 0


def test_no_file_names_a_package_host_or_a_place_on_one_machine() -> None:
    found = {shown(path): MACHINE.findall(path.read_text(encoding="utf-8")) for path in text_files()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("parts", [("https://py", "pi.org/simple"), ("/ho", "me/ann/x"), ("cd /wo", "rk/tree")])
def test_a_place_on_one_machine_is_seen(parts: tuple[str, str]) -> None:
    assert MACHINE.search("".join(parts)) is not None


def test_a_folder_that_is_no_package_is_seen(tmp_path: Path) -> None:
    (tmp_path / "unit/routing").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "__init__.py").touch()
    (tmp_path / "unit/routing/test_something.py").touch()
    assert folders_without_init(tmp_path) == [tmp_path / "unit", tmp_path / "unit/routing"]

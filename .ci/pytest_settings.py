"""Prints the project's pytest settings without the source tree on the path, for another folder's pyproject.toml."""

import json
import sys
import tomllib
from pathlib import Path

SOURCE_TREE_ONLY = {"pythonpath", "testpaths"}


def settings(pyproject: Path) -> str:
    """TOML; JSON's strings, lists and booleans are TOML's."""
    table = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in SOURCE_TREE_ONLY]
    return "\n".join(["[tool.pytest.ini_options]", *lines])


if __name__ == "__main__":
    sys.stdout.write(f"{settings(Path(sys.argv[1]))}\n")

"""What the README tells people to type exists."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, shown

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "lua/README.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make_targets(text: str) -> set[str]:
    """Targets in code, fenced or between backticks."""
    code = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
    return {target for piece in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", piece)}


def links(text: str) -> set[str]:
    return {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link}


def test_each_make_target_of_the_readme_exists() -> None:
    named = make_targets(README)
    assert named >= {"serve", "test"}
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_each_link_leads_somewhere(path: Path) -> None:
    found = links(path.read_text(encoding="utf-8"))
    assert [link for link in sorted(found) if not (path.parent / link).exists()] == []


def test_the_readme_leads_to_every_document() -> None:
    unlinked = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")} - links(README)
    assert unlinked == set()


def test_each_make_target_is_explained_by_make_help() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    explained = set(re.findall(r"@echo 'make ([\w-]+) ", MAKEFILE))
    assert explained == set(phony[1].split()) - {"help"}


def test_make_targets_are_found_in_code_only() -> None:
    text = "make sense\n\n```sh\nmake serve\ncurl x\n```\nand `make test ARGS=x`, not make tea"
    assert make_targets(text) == {"serve", "test"}


def test_links_leave_out_other_sites_and_anchors() -> None:
    assert links("[a](docs/a.md#b) [b](https://example.org) ![c](c.png)") == {"docs/a.md", "c.png"}

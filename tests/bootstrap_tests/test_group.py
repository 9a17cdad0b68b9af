"""What a supervisor does about a configuration that is read again."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector.providers import Object

from bootstrap import Container
from bootstrap.group import Group
from bootstrap.settings import Loaded, Settings, load_settings
from bootstrap.worker import Worker
from domain.redaction import Redactor

MODEL = "model_list: [{model_name: m, provider: {type: echo}}]\n"


class World:
    """A supervisor's group, and the file that it reads."""

    def __init__(self, directory: Path, text: str = MODEL) -> None:
        self.file = directory / "gateway.yaml"
        self.fault: Exception | None = None
        self.redactor = Redactor()
        self.write(text)
        self.group = Group(self.reread().settings, self._make)

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def reread(self) -> Loaded:
        if self.fault is not None:
            raise self.fault
        return load_settings(self.file, {})

    def worker(self) -> Any:
        """The container of a worker that is forked now."""
        return self.group.container_of(Worker(0, -1, -1))

    def _make(self, settings: Settings) -> Container:
        given = {"reread": Object(self.reread), "redactor": Object(self.redactor)}
        return Container(settings=settings, master_key="k" * 20, **given)


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)


def test_file_that_brings_about_an_unforeseen_fault_is_refused_and_shown_by_workers(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.fault = TypeError("hunter2hunter2")

    assert not world.group.reload()

    last = world.worker().last_reload().value
    assert last.messages[0].startswith("the configuration: can't be read: TypeError in test_group.py:")
    assert "hunter2" not in last.messages[0]

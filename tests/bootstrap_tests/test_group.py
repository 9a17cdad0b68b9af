"""What a supervisor does about a configuration that is read again."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector.providers import Object

from application.reloads import Reload
from bootstrap import Container
from bootstrap.group import Group
from bootstrap.settings import Loaded, Settings, load_settings
from bootstrap.worker import Worker
from domain.catalog import Instance
from domain.identifiers import InstanceId, ModelName
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
        container = self.group.container_of(Worker(0, -1, -1))
        container.reset_singletons()
        return container

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


def test_worker_that_is_forked_after_a_reload_knows_new_secrets_and_has_the_new_level(tmp_path: Path) -> None:
    world = World(tmp_path)
    provider = "provider: {type: openai, api_key: second+secret+value}"
    world.write(f"model_list: [{{model_name: m, {provider}}}]\nobservability: {{log_level: error}}")

    assert world.group.reload()

    assert world.worker().redactor().redact("oops second+secret+value") == "oops [redacted]"
    assert logging.getLogger().level == logging.ERROR


def listed(price: str) -> str:
    prices = {"models": {"gpt": {"input": price, "output": "2"}}, "source": "here", "dated": "2026-01-01"}
    return json.dumps({"dated": "2026-01-01", "providers": {"custom": prices}})


def test_prices_that_change_in_their_file_are_named(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text(listed("1"), encoding="utf-8")
    world = World(tmp_path, f"{MODEL}pricing: {{file: {prices}}}")
    world.group.try_out()

    def changed() -> tuple[str, ...]:
        return tuple(world.worker().read_candidate()().takeover.changed)

    as_they_were = changed()
    prices.write_text(listed("900"), encoding="utf-8")
    other_prices = changed()
    assert world.group.reload()

    assert (as_they_were, other_prices, changed()) == ((), ("pricing.file",), ())


@pytest.mark.parametrize("later", ["{", listed("9")])
def test_worker_that_starts_again_has_the_prices_of_its_siblings(tmp_path: Path, later: str) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text(listed("1"), encoding="utf-8")
    world = World(tmp_path, f"{MODEL}pricing: {{file: {prices}}}")
    world.group.try_out()
    instance = Instance(InstanceId("x"), ModelName("gpt"), "custom", "gpt")
    first = world.worker().prices().price_of(instance)

    prices.write_text(later, encoding="utf-8")

    assert world.worker().prices().price_of(instance) == first
    prices.write_text(listed("3"), encoding="utf-8")
    assert world.group.reload()
    prices.write_text(later, encoding="utf-8")
    assert world.worker().prices().price_of(instance) not in {None, first}


def test_workers_that_are_forked_after_a_refusal_draw_by_themselves(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("nonsense: 1")
    assert not world.group.reload()
    inherited = world.group.container_of(Worker(0, -1, -1)).randomness()

    assert world.group.container_of(Worker(1, -1, -1)).randomness() is not inherited


def test_worker_that_takes_a_dead_ones_place_shows_the_last_reload_of_its_siblings(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("nonsense: 1")
    assert not world.group.reload()
    world.write(f"{MODEL}  # and more\nmodel_aliases: {{alias: m}}")
    assert world.group.reload()

    last = world.worker().last_reload().value

    assert (last.ok, last.changed) == (True, ("model_aliases",))


def test_worker_shows_what_was_refused_last_whatever_the_clock_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    last = world.worker().last_reload()
    last.begin()
    last.keep(Reload(at_us=2**60))
    world.write("nonsense: 1")
    assert not world.group.reload()

    assert not last.value.ok


def test_worker_shows_an_accepted_reload_once_it_has_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    last = world.worker().last_reload()
    assert world.group.reload()
    assert last.value is None

    last.begin()
    last.keep(Reload(at_us=1, changed=("router",)))

    assert last.value == Reload(at_us=1, changed=("router",))


def test_refusal_that_comes_while_a_worker_reloads_is_not_lost(tmp_path: Path) -> None:
    world = World(tmp_path)
    last = world.worker().last_reload()
    last.begin()
    world.write("nonsense: 1")
    assert not world.group.reload()

    last.keep(Reload(at_us=1))

    assert not last.value.ok

"""Files that are refused while requests are served: nothing changes, and no secret is told."""

from typing import NoReturn

import pytest

from application.errors import Conflict
from bootstrap.configuration_error import ConfigurationError
from tests.bootstrap_tests.test_reloading import World, model


async def test_file_that_brings_about_an_unforeseen_fault_is_refused_as_any_other() -> None:
    world = World({})
    world.fault = KeyError("hunter2")

    with pytest.raises(Conflict, match="can't be read: KeyError in test_reloading"):
        await world.container.reloading().everywhere()

    last = world.container.last_reload().value
    assert last is not None
    assert not last.ok


async def test_refusal_names_the_place_and_no_known_secret() -> None:
    world = World({"model_list": [model("a", provider={"type": "openai", "api_key": "provider-secret"})]})
    world.fault = ConfigurationError(["a.headers.authorization: provider-secret is wrong"])

    with pytest.raises(Conflict) as refused:
        await world.container.reloading().everywhere()

    last = world.container.last_reload().value
    assert last is not None
    assert last.messages == ("a.headers.authorization: [redacted] is wrong",)
    assert refused.value.message.endswith(last.messages[0])


async def test_secrets_are_found_before_anything_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"model_list": [model("a")]})
    before = world.container.catalog_source().current()

    def fail(_settings: object) -> NoReturn:
        raise ValueError("no URL")

    monkeypatch.setattr("bootstrap.reconfiguration.secrets_of", fail)

    with pytest.raises(Conflict):
        await world.reload({"model_list": [model("b")]})

    assert world.container.catalog_source().current() == before

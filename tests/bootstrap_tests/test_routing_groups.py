import pytest

from tests.bootstrap_tests.documents import errors_in, settings_of


def entries(*fields: str) -> str:
    """A `model_list`: each of `fields` is an entry without its provider."""
    return "\n".join(["model_list:", *(f"  - {{provider: {{type: echo}}, {entry}}}" for entry in fields), ""])


ONE_OF_EACH = entries("model_name: m, id: a", "model_name: n, id: b, routing_group: far")


def test_instances_of_one_model_in_two_groups_are_an_error_that_names_both() -> None:
    text = entries(
        "model_name: m, id: a", "model_name: m, id: b", "model_name: m, id: c, routing_group: far", "model_name: n"
    )
    assert errors_in(text) == [
        (
            "model_list: 'm' has instances in different routing groups, 'a' of 'm' in 'main' and 'c' of 'm' in 'far'; "
            "give them one routing_group"
        )
    ]


@pytest.mark.parametrize("name", ["n", "latest"])
def test_models_of_one_route_in_two_groups_are_an_error_that_names_both(name: str) -> None:
    text = (
        ONE_OF_EACH
        + f"model_aliases: {{latest: n}}\nroutes: [{{slug: s, models: [{{model_name: m}}, {{model_name: {name}}}]}}]"
    )
    assert errors_in(text) == [
        (
            "routes: 's' has instances in different routing groups, 'a' of 'm' in 'main' and 'b' of 'n' in 'far'; "
            "give them one routing_group"
        )
    ]


def test_an_instance_without_an_id_is_named_by_the_one_it_gets() -> None:
    (line,) = errors_in(entries("model_name: m", "model_name: m, routing_group: far"))
    assert "'m-echo-" in line


def test_models_that_share_no_route_may_lie_in_groups_of_their_own() -> None:
    text = ONE_OF_EACH + "routes: [{slug: s, models: [{model_name: m}]}, {slug: t, models: [{model_name: n}]}]"
    assert [entry.routing_group for entry in settings_of(text).models] == ["main", "far"]


def test_fallbacks_may_lie_in_another_group() -> None:
    text = (
        ONE_OF_EACH
        + "router: {model_fallbacks: {m: [n]}, context_window_fallbacks: {m: [n]}}\n"
        + "routes: [{slug: s, models: [{model_name: m}], fallback_models: [n]}]"
    )
    assert settings_of(text).router.model_fallbacks == {"m": ("n",)}


def test_a_model_that_is_not_defined_lies_nowhere() -> None:
    text = ONE_OF_EACH + "routes: [{slug: s, models: [{model_name: gone}, {model_name: n}]}]"
    assert settings_of(text).routes[0].slug == "s"


@pytest.mark.parametrize(
    "text",
    [
        entries("model_name: m, id: a", "model_name: m, id: b, routing_group: far, enabled: false"),
        ONE_OF_EACH + "routes: [{slug: s, enabled: false, models: [{model_name: m}, {model_name: n}]}]",
    ],
    ids=["instance", "route"],
)
def test_what_is_disabled_may_lie_anywhere(text: str) -> None:
    assert len(settings_of(text).models) == 2

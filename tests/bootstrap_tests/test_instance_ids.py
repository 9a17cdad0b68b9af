import itertools
import re

import pytest

from bootstrap.settings.instance_ids import instance_ids, made_by
from domain.caching import target_of
from tests.bootstrap_tests.documents import catalog_of, settings_of


def ids_of(*entries: str) -> list[str]:
    text = "model_list:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    return [str(instance_id) for instance_id in instance_ids(settings_of(text).models)]


A = "model_name: m, provider: {type: openai, api_key: sk-a}"
B = "model_name: m, provider: {type: openai, api_key: sk-b}"
C = "model_name: other/m, provider: {type: azure, endpoint: https://x.example}"


def test_ids_do_not_depend_on_order_or_on_other_entries() -> None:
    expected = dict(zip((A, B, C), ids_of(A, B, C), strict=True))
    assert len(set(expected.values())) == 3
    for length in (1, 2, 3):
        for some in itertools.permutations((A, B, C), length):
            assert ids_of(*some) == [expected[entry] for entry in some]


def test_an_id_is_made_of_model_type_and_hash_and_is_never_the_models_name() -> None:
    a, c = ids_of(A, C)
    assert re.fullmatch(r"m-openai-[0-9a-f]{8}", a)
    assert re.fullmatch(r"other-m-azure-[0-9a-f]{8}", c)


def test_an_id_stays_over_releases() -> None:
    assert ids_of("model_name: echo, provider: {type: echo}") == ["echo-echo-95ed68c8"]


def test_weights_limits_prices_and_written_defaults_rename_nothing() -> None:
    more = f"{A[:-1]}, base_url: https://api.openai.com/v1, model: m}}, weight: 2, rpm: 5, timeout: 5s"
    assert ids_of(more) == ids_of(A)


@pytest.mark.parametrize(
    "change",
    [
        "model_name: m2, provider: {type: openai, api_key: sk-a}",
        "model_name: m, provider: {type: groq, api_key: sk-a}",
        "model_name: m, provider: {type: openai, api_key: sk-a, model: up}",
        "model_name: m, provider: {type: openai, api_key: sk-a, base_url: https://x.example}",
        "model_name: m, provider: {type: openai, api_key: sk-a, organization: o}",
        "model_name: m, provider: {type: openai, api_key: sk-a, headers: {X: y}}",
    ],
)
def test_another_deployment_has_another_id(change: str) -> None:
    first, second = ids_of(A, change)
    assert first[-8:] != second[-8:]


def test_names_that_differ_only_in_unsafe_characters_have_different_ids() -> None:
    first, second = ids_of("model_name: a/b, provider: {type: echo}", "model_name: a-b, provider: {type: echo}")
    assert first != second


def test_identical_twins_are_numbered() -> None:
    first, second, third = ids_of(A, A, A)
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_a_derived_id_gives_way_to_an_explicit_one() -> None:
    (derived,) = ids_of(A)
    assert ids_of(A, f"id: {derived}, {B}") == [f"{derived}-2", derived]


def target_of_entry(provider: str, more: str = "") -> object:
    catalog = catalog_of(f"model_list: [{{model_name: m, id: mine, provider: {{{provider}}}{more}}}]").catalog
    resolved = catalog.resolve("m")
    assert resolved is not None
    return target_of(catalog, resolved)


@pytest.mark.parametrize(
    "change",
    [
        "type: openai, api_key: k, model: up, base_url: https://two.example/v1",
        "type: openai, api_key: k, model: up, organization: o",
        "type: openai, api_key: k, model: up, project: p",
        "type: openai, api_key: k, model: up, headers: {X-Region: eu}",
        "type: openai, api_key: k, model: other",
        "type: groq, api_key: k, model: up",
    ],
)
def test_an_instance_that_is_pointed_elsewhere_has_another_target_though_it_keeps_its_id(change: str) -> None:
    assert target_of_entry(change) != target_of_entry("type: openai, api_key: k, model: up")


def test_another_version_of_an_api_makes_another_target() -> None:
    azure = "type: azure, api_key: k, deployment: d, endpoint: https://x.example"
    assert target_of_entry(f"{azure}, api_version: '2025-01-01'") != target_of_entry(azure)


def test_keys_weights_and_limits_leave_the_target_as_it_is() -> None:
    plain = target_of_entry("type: openai, api_key: k, model: up")
    assert target_of_entry("type: openai, api_key: rotated, model: up") == plain
    assert target_of_entry("type: openai, api_key: k, model: up", ", weight: 3, rpm: 7, timeout: 9s") == plain
    bedrock = [f"type: bedrock, region: eu, access_key_id: {key}, secret_access_key: s{key}" for key in ("a", "b")]
    first, second = (settings_of(f"model_list: [{{model_name: m, provider: {{{told}}}}}]") for told in bedrock)
    assert made_by(first.models[0]) == made_by(second.models[0])


def test_a_target_shows_no_header_in_clear() -> None:
    told = "type: openai, api_key: sk-hidden, headers: {Authorization: token-hidden}"
    assert "hidden" not in repr(target_of_entry(told))

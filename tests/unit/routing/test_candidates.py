from collections.abc import Collection
from dataclasses import replace

from domain.catalog import Instance
from domain.chat import Endpoint
from domain.identifiers import InstanceId, ModelName
from domain.routing.candidates import Need, eligible
from domain.routing.decision import Exclusion

NEED = Need(Endpoint.CHAT, 1_000)
CHAT_ONLY = frozenset({Endpoint.CHAT})


def member(name: str, **changes: object) -> Instance:
    return replace(Instance(InstanceId(name), ModelName("gpt"), "custom", "upstream"), **changes)  # type: ignore[arg-type]


def sifted(
    *instances: Instance, need: Need = NEED, tried: Collection[str] = ()
) -> tuple[list[str], list[tuple[str, Exclusion]]]:
    kept, refusals = eligible(instances, need, {InstanceId(name) for name in tried})
    return [str(instance.id) for instance in kept], [(str(each.instance_id), each.reason) for each in refusals]


def test_those_that_fit_stay_in_configured_order() -> None:
    assert sifted(member("b"), member("a", priority=9), member("c")) == (["b", "a", "c"], [])


def test_every_exclusion_has_its_reason() -> None:
    tagged = frozenset({"eu", "paid"})
    need = Need(Endpoint.EMBEDDINGS, 10, caller_tags=frozenset({"paid"}), wanted_tags=frozenset({"eu"}))

    kept, refusals = sifted(
        member("ok", tags=tagged),
        member("off", tags=tagged, enabled=False),
        member("chat", tags=tagged, supports=CHAT_ONLY),
        member("free", tags=frozenset({"eu"})),
        member("us", tags=frozenset({"paid"})),
        member("tried", tags=tagged),
        need=need,
        tried={"tried"},
    )

    assert kept == ["ok"]
    assert refusals == [
        ("off", Exclusion.DISABLED),
        ("chat", Exclusion.UNSUPPORTED),
        ("free", Exclusion.NOT_ALLOWED),
        ("us", Exclusion.TAG_MISMATCH),
        ("tried", Exclusion.ALREADY_TRIED),
    ]


def test_a_window_that_holds_the_request_exactly_fits() -> None:
    tight, small = member("tight", context_window=1_000), member("small", context_window=999)

    assert sifted(tight, small) == (["tight"], [("small", Exclusion.CONTEXT_WINDOW)])


def test_windows_too_small_are_asked_where_no_other_is_left() -> None:
    small = member("small", context_window=999)

    assert sifted(small, member("wide"), tried={"wide"}) == (["small"], [("wide", Exclusion.ALREADY_TRIED)])


def test_nobody_left_is_an_empty_list_and_all_the_reasons() -> None:
    assert sifted(member("a", enabled=False)) == ([], [("a", Exclusion.DISABLED)])
    assert sifted() == ([], [])

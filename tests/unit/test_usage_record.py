import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.testing.usage_journal_contract import END, intent, outcome
from domain.identifiers import RequestId
from domain.usage_record import UsageIntent, UsageOutcome, UsageRecord

_QUANTITIES = st.integers(0, 2**63 - 1)
_TEXTS = st.text()
_STRATEGIES: dict[object, st.SearchStrategy[object]] = {
    int: _QUANTITIES,
    int | None: st.none() | _QUANTITIES,
    bool: st.booleans(),
    tuple[str, ...]: st.lists(_TEXTS).map(tuple),
    UsageOutcome: st.sampled_from(UsageOutcome),
    str: _TEXTS,
    RequestId: _TEXTS,
}
_RECORDS = st.builds(
    UsageRecord, **{field.name: _STRATEGIES.get(field.type, st.none() | _TEXTS) for field in fields(UsageRecord)}
)


def changed(**values: object) -> bytes:
    return json.dumps(json.loads(outcome(1).to_bytes()) | values).encode()


@given(_RECORDS)
def test_a_record_survives_its_bytes(record: UsageRecord) -> None:
    assert UsageRecord.from_bytes(record.to_bytes()) == record


def test_half_a_surrogate_pair_from_a_client_survives() -> None:
    record = replace(outcome(1), model_asked="\ud800", client_request_id="\x00\udfff")

    assert UsageRecord.from_bytes(record.to_bytes()) == record


def test_an_intent_survives_its_bytes() -> None:
    assert UsageIntent.from_bytes(intent(1).to_bytes()) == intent(1)


def test_bytes_are_compact_json_with_a_version() -> None:
    data = outcome(1).to_bytes()

    assert json.loads(data)["v"] == 1
    assert data == json.dumps(json.loads(data), separators=(",", ":")).encode()


def test_an_intent_without_an_end_is_an_estimated_record_of_unknown_outcome() -> None:
    record = intent(1).unresolved()

    assert record.outcome is UsageOutcome.UNKNOWN
    assert record.estimated
    assert (record.input_tokens, record.output_tokens, record.cost_nano) == (20, 100, 9_000)
    assert (record.status, record.latency_us, record.ttft_us, record.error_code) == (None, None, None, None)
    assert record.record_id == intent(1).record_id == "r-0001:1"


def test_an_intent_that_ended_keeps_what_was_known_before() -> None:
    record = replace(intent(1), first=False).resolved(END)

    assert not record.first
    record = intent(1).resolved(END)
    known = [field.name for field in fields(UsageIntent) if field.name not in END._fields]
    assert {name: getattr(record, name) for name in known} == {name: getattr(intent(1), name) for name in known}
    assert {name: getattr(record, name) for name in END._fields} == END._asdict()


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert UsageRecord.from_bytes(changed(reasoning_tokens=7)) == outcome(1)


def test_fields_that_an_older_version_lacks_have_their_defaults() -> None:
    written = json.loads(outcome(1).to_bytes())
    del written["team_id"], written["cost_nano"], written["first"]

    record = UsageRecord.from_bytes(json.dumps(written).encode())
    assert record == replace(outcome(1), team_id=None, cost_nano=0, first=True)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "expected version 1 to 1, found None"),
        (changed(v=2), "expected version 1 to 1, found 2"),
        (changed(v=True), "expected version 1 to 1, found True"),
        (b'{"v":1}', "lacks account, at_us, attempt"),
        (changed(request_id=None), "request_id: expected a string, found None"),
        (changed(attempt=True), "attempt: expected an integer"),
        (changed(attempt=1.0), "attempt: expected an integer"),
        (changed(input_tokens=-1), "input_tokens: expected an integer from 0"),
        (changed(cost_nano=2**63), "cost_nano: expected an integer"),
        (changed(status="200"), "status: expected an integer"),
        (changed(stream=1), "stream: expected true or false"),
        (changed(tags="eu"), "tags: expected a list"),
        (changed(tags=[1]), "tags: expected a string"),
        (changed(outcome="great"), "outcome: 'great' is not a valid UsageOutcome"),
    ],
)
def test_bytes_that_are_no_record_are_refused_by_name(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^usage record: ") as raised:
        UsageRecord.from_bytes(data)

    assert complaint in str(raised.value)

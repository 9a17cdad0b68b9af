"""The contract of UsageJournal. Inherit it and give it `open_journal`.

`open_journal` is a function that opens another journal on the same directory, as another process would.
"""

from collections.abc import Callable
from dataclasses import replace

from application.ports.usage_journal import UsageJournal
from domain.identifiers import InstanceId, RequestId
from domain.usage_record import UsageEnd, UsageIntent, UsageOutcome, UsageRecord

OpenJournal = Callable[[], UsageJournal]

END = UsageEnd(UsageOutcome.SUCCESS, 200, 12, 7, 3, False, 4_200, 350_000, 90_000)


def intent(number: int) -> UsageIntent:
    """One of many that differ."""
    return UsageIntent(
        RequestId(f"r-{number:04}"),
        1,
        1_790_000_000_000_000 + number,
        "fast",
        "key:k-1",
        "POST",
        "/v1/chat/completions",
        instance_id=InstanceId("eu-1"),
        provider="openai",
        input_tokens=20,
        output_tokens=100,
        cost_nano=9_000,
        tags=("eu", "тест"),
    )


def outcome(number: int) -> UsageRecord:
    """How `intent(number)` ended."""
    return intent(number).resolved(END)


def waiting(journal: UsageJournal, count: int = 1_000) -> list[UsageRecord]:
    """What is to be delivered."""
    entries = journal.undelivered(count)
    records = [UsageRecord.from_bytes(entry.record) for entry in entries]
    assert [entry.id for entry in entries] == [record.record_id for record in records]
    return records


def fresh(journal: UsageJournal, count: int = 1_000) -> list[UsageRecord]:
    """What was never handed out."""
    return [UsageRecord.from_bytes(entry.record) for entry in journal.fresh(count)]


def write(journal: UsageJournal, *numbers: int) -> None:
    """Whole attempts."""
    for number in numbers:
        journal.append_intent(intent(number))
        journal.append_outcome(outcome(number))


class UsageJournalContract:
    """Each attempt that was sent becomes one record, whoever died."""

    def test_a_new_journal_has_nothing_to_deliver(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        journal.mark_delivered(["r-0001:1"])
        journal.withdraw("r-0001:1")

        assert waiting(journal) == []

    def test_an_intent_is_not_delivered_while_its_process_lives(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        journal.append_intent(intent(1))

        assert waiting(journal) == []

    def test_an_outcome_is_handed_out_until_it_is_marked(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        write(journal, 1, 2)

        assert waiting(journal) == waiting(journal) == [outcome(1), outcome(2)]

        journal.mark_delivered(["r-0001:1", "unknown:1"])
        assert waiting(journal) == [outcome(2)]
        journal.mark_delivered(["r-0002:1"])
        assert waiting(journal) == []

    def test_an_outcome_needs_no_intent(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        hit = replace(outcome(1), attempt=0, cache_hit=True, cost_nano=0)
        journal.append_outcome(hit)

        assert waiting(journal) == [hit]

    def test_no_more_are_handed_out_than_wanted(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        write(journal, 1, 2, 3)

        assert waiting(journal, 0) == []
        assert waiting(journal, 2) == [outcome(1), outcome(2)]
        journal.mark_delivered(["r-0002:1"])
        assert waiting(journal, 2) == [outcome(1), outcome(3)]

    def test_what_was_handed_out_is_not_fresh(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        write(journal, 1, 2, 3, 4)

        assert fresh(journal, 0) == []
        assert waiting(journal, 1) == [outcome(1)]
        assert fresh(journal, 2) == [outcome(2), outcome(3)]
        journal.mark_delivered(["r-0002:1"])
        assert fresh(journal) == [outcome(4)]
        assert fresh(journal) == []
        write(journal, 5)
        assert fresh(journal) == [outcome(5)]
        assert waiting(journal) == [outcome(1), outcome(3), outcome(4), outcome(5)]

    def test_a_fresh_record_may_be_marked_as_any(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        write(journal, 1, 2)
        fresh(journal)
        journal.mark_delivered(["r-0001:1", "r-0002:1"])

        assert waiting(journal) == []

    async def test_what_is_adopted_is_fresh_and_says_so(self, open_journal: OpenJournal) -> None:
        dead, heir = open_journal(), open_journal()
        write(dead, 1)
        dead.append_intent(intent(2))
        waiting(dead)
        dead.close()
        write(heir, 3)
        assert fresh(heir) == [outcome(3)]

        await heir.adopt()
        entries = heir.fresh(10)

        assert {entry.id for entry in entries} == {"r-0001:1", "r-0002:1"}
        assert all(entry.adopted for entry in entries)
        assert heir.fresh(10) == []
        assert {entry.id: entry.adopted for entry in heir.undelivered(10)} == {
            "r-0001:1": True,
            "r-0002:1": True,
            "r-0003:1": False,
        }

    def test_what_was_not_handed_out_can_not_be_marked(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        write(journal, 1)
        journal.mark_delivered(["r-0001:1"])

        assert waiting(journal) == [outcome(1)]

    async def test_a_living_process_is_not_adopted(self, open_journal: OpenJournal) -> None:
        write(alive := open_journal(), 1)
        other = open_journal()

        assert await other.adopt() == 0
        assert await alive.adopt() == 0
        assert waiting(other) == []
        assert waiting(alive) == [outcome(1)]

    async def test_what_a_process_left_is_adopted_once(self, open_journal: OpenJournal) -> None:
        dead, first, second = open_journal(), open_journal(), open_journal()
        write(dead, 1, 2)
        waiting(dead, 1)
        dead.mark_delivered(["r-0001:1"])
        dead.append_intent(intent(3))
        dead.close()

        assert await first.adopt() >= 1
        assert await second.adopt() == 0
        unknown = waiting(first)
        assert {record.record_id: record for record in unknown} == {
            "r-0002:1": outcome(2),
            "r-0003:1": intent(3).unresolved(),
        }
        assert waiting(second) == []

    async def test_an_intent_survives_that_all_else_was_delivered(self, open_journal: OpenJournal) -> None:
        dead, heir = open_journal(), open_journal()
        write(dead, 1)
        dead.append_intent(intent(2))
        waiting(dead)
        dead.mark_delivered(["r-0001:1"])
        assert waiting(dead) == []
        dead.close()

        await heir.adopt()
        assert waiting(heir) == [intent(2).unresolved()]

    async def test_an_adopter_that_dies_is_adopted_too(self, open_journal: OpenJournal) -> None:
        dead, adopter, heir = open_journal(), open_journal(), open_journal()
        write(dead, 1)
        dead.append_intent(intent(2))
        dead.close()
        await adopter.adopt()
        waiting(adopter)
        adopter.mark_delivered(["r-0002:1"])
        adopter.close()

        assert await heir.adopt() >= 1
        assert waiting(heir) == [outcome(1)]
        heir.mark_delivered(["r-0001:1"])
        heir.close()
        assert await open_journal().adopt() == 0

    async def test_a_withdrawn_intent_leaves_no_record(self, open_journal: OpenJournal) -> None:
        dead, heir = open_journal(), open_journal()
        dead.append_intent(intent(1))
        dead.append_intent(intent(2))
        dead.withdraw("r-0001:1")
        dead.close()

        await heir.adopt()
        assert waiting(heir) == [intent(2).unresolved()]

    async def test_an_intent_may_come_again_after_it_was_withdrawn(self, open_journal: OpenJournal) -> None:
        dead, heir = open_journal(), open_journal()
        dead.append_intent(intent(1))
        dead.withdraw("r-0001:1")
        write(dead, 1)
        dead.close()

        await heir.adopt()
        assert waiting(heir) == [outcome(1)]

    async def test_a_journal_that_was_synced_goes_on(self, open_journal: OpenJournal) -> None:
        journal = open_journal()
        await journal.sync()
        write(journal, 1)
        await journal.sync()

        assert waiting(journal) == [outcome(1)]

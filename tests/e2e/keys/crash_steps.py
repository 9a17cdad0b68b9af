"""The steps of an attempt's usage at which a process is killed, in their order."""

from enum import StrEnum

STEP_VARIABLE = "CRASH_STEP_FILE"


class Step(StrEnum):
    """Where a process dies."""

    BEFORE_INTENT = "before the intent is written"
    AFTER_INTENT = "after the intent, before the provider is asked"
    BEFORE_OUTCOME = "after the provider answered, before the outcome is written"
    AFTER_OUTCOME = "after the outcome is written"
    BEFORE_SETTLE = "before the budget is settled"
    AFTER_SETTLE = "after the budget is settled"
    BEFORE_XADD = "before the record is in the stream"
    AFTER_XADD = "after the record is in the stream"
    BEFORE_INSERT = "before the insert"
    MID_INSERT = "in the middle of the insert"
    AFTER_COMMIT = "after the commit, before it is acknowledged"
    AFTER_ACK = "after it is acknowledged"
    BEFORE_MARK = "before it is marked in the journal"
    AFTER_MARK = "after it is marked in the journal"

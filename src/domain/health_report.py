"""What active checks of the instances found, for as long as it can be believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from domain.durations import MINUTE_US, SECOND_US
from domain.failure import Blame, Failure
from domain.identifiers import InstanceId, ModelName

REPORT_TTL_US = 5 * MINUTE_US
MESSAGE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class HealthReport:
    """One check of an instance.

    Attributes:
        checked_at_us: When it was made: wall-clock microseconds since the epoch. A later check replaces an earlier one.
        reachable: Whether the provider answered as one that works.
        latency_us: How long the answer took; None where none came.
        status: The HTTP status of the answer; None where none came.
        message: What went wrong, for people.
    """

    checked_at_us: int
    reachable: bool
    latency_us: int | None
    status: int | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report about an instance of `model` that is believed until `expires_us`."""

    model: ModelName
    report: HealthReport
    expires_us: int


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """The instances of a model whose last check can be believed, in numbers.

    `average_latency_us`, rounded down, is that of the healthy ones; None where there is none.
    """

    healthy: int
    total: int
    average_latency_us: int | None


def answered(at_us: int, latency_us: int, status: int | None) -> HealthReport:
    """The provider answered as it should."""
    return HealthReport(at_us, reachable=True, latency_us=latency_us, status=status)


def failed(at_us: int, latency_us: int, failure: Failure) -> HealthReport:
    """It refused, or failed. Whatever a circuit would not count against it comes from one that is there.

    So do 401, 403, 404, 405 and 429: not every provider lists its models to everybody.
    """
    reachable = failure.verdict.blame is not Blame.FAILURE
    latency = None if failure.status is None else latency_us
    return HealthReport(at_us, reachable, latency, failure.status, failure.message)


def silent(at_us: int, span_us: int) -> HealthReport:
    """It said nothing for `span_us`."""
    message = f"the provider did not answer within {span_us / SECOND_US:g} s"
    return HealthReport(at_us, reachable=False, latency_us=None, status=None, message=message)


def bounded(report: HealthReport) -> HealthReport:
    """The report with at most 200 characters of message, which others wrote; what is no valid text is escaped."""
    text = report.message[:MESSAGE_CHARACTERS].encode(errors="backslashreplace").decode()
    return replace(report, message=text[:MESSAGE_CHARACTERS])


def store(
    stored: StoredReport | None, now_us: int, model: ModelName, report: HealthReport, ttl_us: int
) -> tuple[bool, StoredReport]:
    """Whether `report` is news, and what is stored then: a check as late as the stored one or later stands."""
    if stored is not None and stored.expires_us > now_us and stored.report.checked_at_us >= report.checked_at_us:
        return False, stored
    return True, StoredReport(model, report, now_us + ttl_us)


def read(stored: StoredReport | None, now_us: int) -> StoredReport | None:
    """What is stored, where it can be believed now."""
    return stored if stored is not None and stored.expires_us > now_us else None


def join(members: Mapping[InstanceId, int], now_us: int, instance_id: InstanceId, ttl_us: int) -> dict[InstanceId, int]:
    """A model's instances and when each is forgotten, with one more; those whose time has come are left out."""
    expires_us = max(now_us + ttl_us, members.get(instance_id, 0))
    return {id_: until_us for id_, until_us in {**members, instance_id: expires_us}.items() if until_us > now_us}


def members_now(members: Mapping[InstanceId, int], now_us: int) -> list[InstanceId]:
    """The instances that are not to be forgotten yet, the next one first."""
    return [id_ for until_us, id_ in sorted((until_us, id_) for id_, until_us in members.items()) if until_us > now_us]


def summary(reports: Iterable[HealthReport]) -> ModelHealth:
    """The reports in numbers."""
    known = tuple(reports)
    healthy = [report for report in known if report.reachable]
    latencies_us = [report.latency_us for report in healthy if report.latency_us is not None]
    average_us = sum(latencies_us) // len(latencies_us) if latencies_us else None
    return ModelHealth(len(healthy), len(known), average_us)

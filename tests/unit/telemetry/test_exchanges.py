from adapters.outbound.memory.decision_log import MemoryDecisionLog
from application.answered import Answered
from application.exchanges import Exchanges
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace
from tests.unit.telemetry.support import REQUEST_ID, answered, trace


class SpyObserver:
    def __init__(self) -> None:
        self.heard: list[tuple[Answered, DecisionTrace | None]] = []

    def ended(self, answered: Answered, trace: DecisionTrace | None) -> None:
        self.heard.append((answered, trace))


def story(number: int) -> DecisionTrace:
    return DecisionTrace(RequestId(f"r-{number}"), "gpt-4", "chat", stream=False, started_us=1)


def test_answer_is_told_with_its_story_to_all() -> None:
    first, second = SpyObserver(), SpyObserver()
    exchanges = Exchanges(MemoryDecisionLog().kept, [first, second])
    one, its_story = answered(), trace()

    exchanges.finished(its_story)
    exchanges.answered(one)

    assert first.heard == second.heard == [(one, its_story)]


def test_story_is_found_though_newer_ones_pushed_it_out_of_the_log_of_decisions() -> None:
    spy, decisions = SpyObserver(), MemoryDecisionLog(capacity=1)
    exchanges = Exchanges(decisions.kept, [spy])
    for each in (trace(), story(1)):
        decisions.keep(each)
        exchanges.finished(each)

    exchanges.answered(answered())

    assert spy.heard[0][1] is not None
    assert spy.heard[0][1].request_id == REQUEST_ID


def test_story_that_goes_on_behind_its_answer_is_told_as_far_as_it_is() -> None:
    spy, decisions, going_on = SpyObserver(), MemoryDecisionLog(), trace(outcome=None)
    decisions.keep(going_on)

    Exchanges(decisions.kept, [spy]).answered(answered())

    assert spy.heard[0][1] is going_on


def test_request_that_asked_no_model_has_no_story() -> None:
    spy = SpyObserver()

    Exchanges(MemoryDecisionLog().kept, [spy]).answered(answered())

    assert spy.heard[0][1] is None


def test_stories_whose_answers_never_come_do_not_pile_up() -> None:
    exchanges = Exchanges(MemoryDecisionLog().kept, [SpyObserver()])

    for number in range(10_100):
        exchanges.finished(story(number))

    assert len(exchanges._told) == 10_000
    assert RequestId("r-99") not in exchanges._told

from adapters.testing.doubles import SpyEventSink
from application.fan_out import FanOut
from domain.events import CircuitChanged
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import CircuitState, Transition

OPENED = CircuitChanged(InstanceId("a"), Transition(CircuitState.CLOSED, CircuitState.OPEN, "failure_rate", 1))


def test_a_fan_out_announces_each_event_to_every_sink_once() -> None:
    sinks = [SpyEventSink(), SpyEventSink(), SpyEventSink()]

    FanOut(sinks).publish(OPENED)

    assert [sink.events for sink in sinks] == [[OPENED]] * 3


def test_a_fan_out_to_nobody_is_silent() -> None:
    FanOut([]).publish(OPENED)

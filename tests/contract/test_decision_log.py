import pytest

from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.testing.small_contracts import DecisionLogContract
from application.ports.decision_log import DecisionLog


class TestMemoryDecisionLog(DecisionLogContract):
    @pytest.fixture
    def decision_log(self) -> DecisionLog:
        return MemoryDecisionLog()

import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.budget_accounts import BudgetAccounts
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.admission_contract import AdmissionContract, AdmissionHarness
from adapters.testing.virtual_time import ManualClock


class TestMemoryAdmission(AdmissionContract):
    @pytest.fixture
    def harness(self) -> AdmissionHarness:
        clock = ManualClock()
        accounts = BudgetAccounts()
        return AdmissionHarness(MemoryAdmission(clock, accounts), clock, budgets=MemoryBudgets(clock, accounts))


class TestRedisAdmission(AdmissionContract):
    @pytest.fixture
    def harness(self, redis_executor: RedisExecutor, redis_prefix: str) -> AdmissionHarness:
        clock = ManualClock()
        admission = RedisAdmission(redis_executor, redis_prefix, lambda: str(clock.now_us()))
        budgets = RedisBudgets(redis_executor, redis_prefix, lambda: str(clock.now_us()))
        return AdmissionHarness(admission, clock, budgets=budgets)

"""Retry budgets and kept keys whose rules change under way."""

from dataclasses import replace

from adapters.testing.virtual_time import ManualClock
from application.authentication.key_cache import KeyCache
from application.authentication.key_lookup import KeyLookup
from application.authentication.key_pepper import KeyPepper
from application.change_feed import ChangeFeed
from application.retry_budgets import RetryBudgets
from domain.grant import Grant
from domain.identifiers import ModelName
from domain.limits.key_limits import KeyLimits
from domain.limits.limit import Algorithm
from domain.resilience.retry_budget import RetryBudgetConfig
from tests.unit.authentication.key_store import PEPPER, FakeKeyStore, key_of, secret

M, N = ModelName("m"), ModelName("n")
ONE = RetryBudgetConfig(percent=0, min_per_second=1)


def spent(budgets: RetryBudgets, model: ModelName) -> None:
    while budgets.of(model, 0).try_withdraw(0):
        pass


def test_retry_budgets_stay_where_their_rules_do_and_go_with_their_models() -> None:
    budgets = RetryBudgets(ONE)
    spent(budgets, M)
    spent(budgets, N)

    budgets.reconfigure(ONE, {M})

    assert not budgets.of(M, 0).try_withdraw(0)
    assert budgets.of(N, 0).try_withdraw(0)


def test_retry_budgets_begin_anew_under_other_rules() -> None:
    budgets = RetryBudgets(ONE)
    spent(budgets, M)

    budgets.reconfigure(RetryBudgetConfig(percent=0, min_per_second=2), {M})

    assert sum(budgets.of(M, 0).try_withdraw(0) for _ in range(100)) == 20


async def test_kept_keys_are_counted_by_the_new_algorithm_with_no_question_to_the_store() -> None:
    clock, store, text = ManualClock(), FakeKeyStore(), secret(1)
    store.put(Grant(replace(key_of(text), limits=KeyLimits(requests_per_minute=5))))
    cache = KeyCache(clock)
    keys = KeyLookup(
        store, KeyPepper(store, store, PEPPER), cache, ChangeFeed(store, clock, [cache]), Algorithm.SLIDING_WINDOW
    )
    await keys.find(b"print", text)
    generation = cache.generation

    keys.reconfigure(Algorithm.TOKEN_BUCKET)

    known = cache.find(b"print")
    assert known is not None
    assert {limit.algorithm for limit in known.caller.limits} == {Algorithm.TOKEN_BUCKET}
    assert store.lookups == 1
    assert cache.generation > generation
    keys.reconfigure(Algorithm.TOKEN_BUCKET)
    assert cache.find(b"print") is known

"""In which states of the world each fault was met: a fault that never met a state has proved nothing of it."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.budget.charge import AccountId
from domain.resilience.circuit import CircuitState

if TYPE_CHECKING:
    from tests.simulation.world import World

Sightings = Counter[tuple[str, str]]
"""How often a fault came while the world was in a state."""


def _circuit(world: "World", state: CircuitState) -> bool:
    return any(one.circuit.state is state for one in world.store.now.routing._states._states.values())


def _spent(world: "World") -> bool:
    now_us = world.store.clock.now_us()
    terms = next(terms for terms in world.budgets if terms.owner.id == "poor")
    account = world.store.now.accounts.of(AccountId("team:poor"))
    balance = account.inspect((terms.period(now_us),), now_us).balances[0]
    return terms.amount_nano - balance.settled_nano - balance.reserved_nano < terms.amount_nano // 10


STATES: dict[str, Callable[["World"], bool]] = {
    "calls run": lambda world: any(one.running for one in world.upstreams.values()),
    "streams run": lambda world: any(one.streaming for one in world.upstreams.values()),
    "a circuit is open": lambda world: _circuit(world, CircuitState.OPEN),
    "a circuit is half open": lambda world: _circuit(world, CircuitState.HALF_OPEN),
    "a gateway is cut off the store": lambda world: any(one.links[0].weather.cut for one in world.gateways.values()),
    "a gateway is cut off the ledger": lambda world: any(one.links[1].weather.cut for one in world.gateways.values()),
    "usage waits": lambda world: any(one.delivery.on_the_way for one in world.gateways.values() if one.is_serving),
    "a disk is full": lambda world: world.disk.is_full,
    "a gateway is paused": lambda world: any(one.is_paused for one in world.gateways.values()),
    "a gateway is dead": lambda world: any(one.links[0].dead for one in world.gateways.values()),
    "a hard budget is spent": _spent,
}


def states(world: "World") -> list[str]:
    """Those that the world is in."""
    return [name for name, is_met in STATES.items() if is_met(world)]


def never_met(met: Sightings, faults: Counter[str]) -> list[tuple[str, str]]:
    """The pairs of a fault and a state that are missing. Faults of single messages are not counted here."""
    named = sorted(fault for fault in faults if not fault.startswith("message "))
    return [(fault, state) for fault in named for state in STATES if not met[fault, state]]

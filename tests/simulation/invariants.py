"""What must hold at the end of a run, when all faults are over and all gateways have been stopped."""

from collections import Counter

from domain.budget.answers import Balance
from domain.budget.charge import AccountId
from domain.budget.terms import BudgetTerms
from domain.events import CircuitChanged
from domain.usage_record import UsageRecord
from tests.simulation.clients import Clients
from tests.simulation.world import World

_LEGAL = {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")}
_LOSSES = {"store flushed", "store rewound"}


def check_all(world: World, clients: Clients) -> None:
    """Tells the world of each that does not."""
    records = [record for record in world.ledger.records if record.attempt]
    _every_call_is_booked_once(world, clients, records)
    _books_agree(world, clients)
    _nothing_is_left(world)
    _circuits_move_legally(world)
    _nobody_is_called_too_often(world)


def _has(world: World, faults: set[str]) -> bool:
    return any(world.told.faults[name] for name in faults)


def _is_lost_by_choice(clients: Clients, request_id: str) -> bool:
    """Who has no hard budget is served with a full disk, and what waits in memory then dies with its process."""
    gateway, caller = clients.served_by[request_id], clients.asked[request_id]
    return gateway.had_full_disk and gateway.links[0].dead and not caller.has_hard_budget


def _every_call_is_booked_once(world: World, clients: Clients, records: list[UsageRecord]) -> None:
    booked: Counter[str] = Counter(record.request_id for record in records)
    calls: Counter[str] = Counter()
    for upstream in world.upstreams.values():
        calls.update(upstream.calls)
    for request_id in sorted(booked.keys() | calls.keys()):
        if booked[request_id] < calls[request_id] and not _is_lost_by_choice(clients, request_id):
            world.violated(f"{request_id} was sent {calls[request_id]} times and booked {booked[request_id]} times")
        if booked[request_id] > calls[request_id] and request_id not in world.crashed_requests:
            world.violated(f"{request_id} was sent {calls[request_id]} times and booked {booked[request_id]} times")


def _books_agree(world: World, clients: Clients) -> None:
    unwritten = {clients.asked[name].team_id for name in clients.served_by if _is_lost_by_choice(clients, name)}
    for terms in world.budgets:
        balance, left = _standing(world, clients, terms)
        settled_nano = balance.settled_nano
        team = terms.owner.id
        ledger_nano = sum(record.cost_nano for record in world.ledger.records if record.team_id == team)
        lost = _has(world, _LOSSES)
        # At epoch 0 nobody relies on it: it is rebuilt before it is used.
        if (settled_nano < ledger_nano and balance.epoch) or (
            settled_nano > ledger_nano and not lost and team not in unwritten
        ):
            world.violated(f"team {team}: the store says {settled_nano}, the ledger {ledger_nano}")
        if terms.hard and ledger_nano > terms.amount_nano and not lost:
            world.violated(f"team {team} spent {ledger_nano} of {terms.amount_nano}")
        if left:
            world.violated(f"team {team}: {left} are still reserved")


def _standing(world: World, clients: Clients, terms: BudgetTerms) -> tuple[Balance, list[str]]:
    """The balance, and the attempts that are still open although their process lives. A dead one's expire."""
    now_us = world.store.clock.now_us()
    account = world.store.now.accounts.of(AccountId(f"team:{terms.owner.id}"))
    balance = account.inspect((terms.period(now_us),), now_us).balances[0]
    asked = [attempt.request_id.rstrip("~") for attempt in account.open_attempts(now_us)]
    return balance, [one for one in asked if not clients.served_by[one].links[0].dead]


def _nothing_is_left(world: World) -> None:
    now_us = world.store.clock.monotonic_us()
    for instance in world.catalog.all_instances():
        live = world.store.now.routing._state(instance).leases.live(now_us)
        if live:
            world.violated(f"{live} leases of instance {instance.id} are left")
    for gateway in world.gateways.values():
        left = list(gateway.directory.glob("*.journal"))
        if left:
            world.violated(f"{gateway.name} left {len(left)} journals")
        if gateway.leases.held:
            world.violated(f"{gateway.name} still holds {gateway.leases.held} leases")
        tasks = [task for task in world.loop.tasks.get(gateway.name, ()) if not task.done()]
        if tasks:
            world.violated(f"{gateway.name} left {len(tasks)} tasks: {tasks[0]!r}")
    for name, upstream in world.upstreams.items():
        if upstream.running:
            world.violated(f"{upstream.running} calls of upstream {name} were never ended")


def _circuits_move_legally(world: World) -> None:
    for event in world.store.events.events:
        if isinstance(event, CircuitChanged):
            step = (event.transition.before.value, event.transition.after.value)
            world.told.outcomes[f"circuit {step[0]} to {step[1]}"] += 1
            if step not in _LEGAL:
                world.violated(f"the circuit of {event.instance_id} went from {step[0]} to {step[1]}")


def _nobody_is_called_too_often(world: World) -> None:
    most = 1 + world.policy.instance_retry_attempts
    for name, upstream in world.upstreams.items():
        for request_id, calls in upstream.calls.items():
            if calls > most:
                world.violated(f"{name} was called {calls} times for {request_id}, and {most} times is most")
    for request_id, calls in sum((one.calls for one in world.upstreams.values()), Counter[str]()).items():
        if calls > most:
            world.violated(f"{request_id} was sent {calls} times, and {most} times is most")

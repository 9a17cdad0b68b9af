"""`python -m bench`: the upstream directly, the bare stack, the gateway and one on Redis, in rounds on one core."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

from bench.measure import MEASURES, Round, measure, warm_up
from bench.processes import Cores, Target, anthropic_upstream, bare_stack, cores, gateway, redis, upstream
from bench.report import tables

LONGEST_S = 170.0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; the table shows medians (default 5)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement (default 1.5)")
    parser.add_argument("--only", action="append", choices=MEASURES, help="measure only this; may be repeated")
    parser.add_argument(
        "--without", action="append", choices=("bare", "gateway", "redis"), default=[], help="leave a target out"
    )
    return parser.parse_args(arguments)


async def rounds_of(targets: Sequence[Target], options: argparse.Namespace) -> dict[str, list[Round]]:
    """Every measurement of all targets right after one another, in another order each round.

    A moment in which something else wants the machine then hits both sides of a ratio, or one in a round at most.
    """
    measured: dict[str, list[Round]] = {target.name: [] for target in targets}
    for target in targets:
        await warm_up(target)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for rounds in measured.values():
            rounds.append(Round())
        shift = number % len(targets)
        for what in options.only or MEASURES:
            for target in [*targets[shift:], *targets[:shift]]:
                await measure(target, what, options.seconds, measured[target.name][-1])
    return measured


def run(options: argparse.Namespace, where: Cores) -> str:
    """Start everything, measure, end everything."""
    with contextlib.ExitStack() as started:
        targets = [started.enter_context(upstream(where.load))]
        if "bare" not in options.without:
            targets.append(started.enter_context(bare_stack(where.server, targets[0].port)))
        if "gateway" not in options.without:
            other = started.enter_context(anthropic_upstream(where.load))
            targets.append(started.enter_context(gateway(where.server, targets[0].port, anthropic_port=other)))
        if "redis" not in options.without:
            url = started.enter_context(redis(where.load))
            targets.append(started.enter_context(gateway(where.server, targets[0].port, redis_url=url)))
        os.sched_setaffinity(0, {where.load})
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            measured = runner.run(_bounded(targets, options))
        return tables(measured, {target.name: target.rss_mib() for target in targets})


async def _bounded(targets: Sequence[Target], options: argparse.Namespace) -> dict[str, list[Round]]:
    async with asyncio.timeout(LONGEST_S):
        return await rounds_of(targets, options)


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - absent on Windows

        return uvloop.Loop
    return None


def main() -> None:
    options, where = parse(sys.argv[1:]), cores()
    print(f"Servers on core {where.server}, load generator and upstream on core {where.load}.")
    if where.shared:
        print("This machine offers one core: everything shares it, so only the ratios and the CPU rows mean much.")
    print(f"{options.rounds} interleaved rounds of {options.seconds} s for each measurement.\n")
    print(run(options, where))


if __name__ == "__main__":
    main()

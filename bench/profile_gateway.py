"""`python -m bench.profile_gateway [--stream | --hits]`: where the gateway's time goes under load, by cProfile.

cProfile makes small functions look dearer than they are; `py-spy record -o out.svg --pid PID`, where installed, does
not. Read the order, not the figures.
"""

import argparse
import asyncio
import contextlib
import os
import pstats
import tempfile
from pathlib import Path

from bench.load import LoadRun, request_bytes
from bench.processes import Target, cores, gateway, redis, upstream


async def _load(target: Target, *, stream: bool, hits: bool, seconds: float) -> float:
    request = request_bytes("bench", stream=stream, key=target.key, temperature=0.0 if hits else 0.7)
    load = await LoadRun(target.port, request, connections=16, seconds=seconds)()
    return load.events_per_s if stream else load.requests_per_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="profile_gateway", description=__doc__)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--stream", action="store_true")
    asked.add_argument("--hits", action="store_true", help="the same request again and again, from the cache")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--redis", action="store_true", help="with its state in a Valkey")
    parser.add_argument("--rows", type=int, default=45)
    parser.add_argument("--sort", default="tottime", help="tottime or cumulative")
    options = parser.parse_args()
    where = cores()
    with tempfile.TemporaryDirectory() as folder:
        found = str(Path(folder, "profile"))
        profiler = ["-m", "cProfile", "-o", found]
        with contextlib.ExitStack() as started:
            behind = started.enter_context(upstream(where.load))
            url = started.enter_context(redis(where.load)) if options.redis else None
            target = started.enter_context(gateway(where.server, behind.port, profiler, url))
            os.sched_setaffinity(0, {where.load})
            rate = asyncio.run(_load(target, stream=options.stream, hits=options.hits, seconds=options.seconds))
        print(f"{rate:,.0f} {'events' if options.stream else 'requests'}/s while profiled")
        pstats.Stats(found).sort_stats(options.sort).print_stats(options.rows)


if __name__ == "__main__":
    main()

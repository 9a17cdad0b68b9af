"""The scripted upstream as a process of its own."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys

from tests.e2e.behaviour import Behaviour
from tests.e2e.scripted_upstream import ScriptedUpstream


async def _serve(port: int, lanes: dict[str, dict[str, object]]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with ScriptedUpstream(port, keeps_records=False) as upstream:
        for name, attributes in lanes.items():
            upstream.lane(name).default = Behaviour(**attributes)  # type: ignore[arg-type] # JSON from the command line
        sys.stdout.write(f"{upstream.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Serve until SIGTERM; the first line printed is the base URL."""
    parser = argparse.ArgumentParser(prog="scripted_upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lanes", type=json.loads, default={}, help="JSON: lane to attributes of its behaviour")
    arguments = parser.parse_args()
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - optional: the product has it, a bare checkout may not

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(arguments.port, arguments.lanes))


if __name__ == "__main__":
    main()

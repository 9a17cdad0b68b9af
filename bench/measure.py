"""The measurements of one target."""

from dataclasses import dataclass

from bench.load import Load, LoadRun, request_bytes
from bench.processes import Target

CONNECTIONS = 16
EVENTS = 100
WARM_UP_S = 0.7
HIT = b"\r\nx-cache: hit"
MEASURES = ("requests", "hits", "latency", "stream", "translated", "paced")


@dataclass(slots=True)
class Round:
    """One target in one round. None: not measured. Times in milliseconds, CPU in microseconds each."""

    requests_per_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us_per_request: float | None = None
    p50_alone_ms: float | None = None
    p99_alone_ms: float | None = None
    events_per_s: float | None = None
    cpu_us_per_event: float | None = None
    cpu_us_per_paced_event: float | None = None
    translated_events_per_s: float | None = None
    cpu_us_per_translated_event: float | None = None
    hits_per_s: float | None = None
    hit_p50_alone_ms: float | None = None
    cpu_us_per_hit: float | None = None


async def measure(target: Target, what: str, seconds: float, into: Round) -> None:
    """One measurement of one target."""
    match what:
        case "requests":
            load, cpu_s = await _run(target, "bench", connections=CONNECTIONS, seconds=seconds)
            into.requests_per_s = load.requests_per_s
            into.p50_ms, into.p99_ms = load.quantile_s(0.5) * 1e3, load.quantile_s(0.99) * 1e3
            into.cpu_us_per_request = cpu_s / load.requests * 1e6
        case "hits" if target.caches:
            load, cpu_s = await _hits(target, connections=CONNECTIONS, seconds=seconds / 2)
            into.hits_per_s, into.cpu_us_per_hit = load.requests_per_s, cpu_s / load.requests * 1e6
            load, _ = await _hits(target, connections=1, seconds=seconds / 2)
            into.hit_p50_alone_ms = load.quantile_s(0.5) * 1e3
        case "hits":
            pass
        case "latency":
            load, _ = await _run(target, "bench", connections=1, seconds=seconds)
            into.p50_alone_ms, into.p99_alone_ms = load.quantile_s(0.5) * 1e3, load.quantile_s(0.99) * 1e3
        case "stream":
            load, cpu_s = await _run(target, "bench", connections=CONNECTIONS, seconds=seconds, stream=True)
            into.events_per_s = load.events_per_s
            into.cpu_us_per_event = cpu_s / load.events * 1e6
        case "translated" if target.translates:
            load, cpu_s = await _run(target, "translated", connections=CONNECTIONS, seconds=seconds, stream=True)
            into.translated_events_per_s = load.events_per_s
            into.cpu_us_per_translated_event = cpu_s / load.events * 1e6
        case "translated":
            pass
        case "paced":
            load, cpu_s = await _run(target, "paced", connections=CONNECTIONS, seconds=seconds, stream=True)
            into.cpu_us_per_paced_event = cpu_s / load.events * 1e6
        case _:
            raise ValueError(f"no such measurement: {what}")


async def warm_up(target: Target) -> None:
    """Imports, caches and connections are paid for before anything is measured."""
    await _run(target, "bench", connections=CONNECTIONS, seconds=WARM_UP_S)
    await _run(target, "bench", connections=CONNECTIONS, seconds=WARM_UP_S, stream=True)
    if target.caches:
        await _hits(target, connections=1, seconds=WARM_UP_S / 2, wanted=b"")


async def _run(
    target: Target, model: str, *, connections: int, seconds: float, stream: bool = False
) -> tuple[Load, float]:
    request = request_bytes(model, stream=stream, key=target.key)
    events = EVENTS if stream else 0
    return await _timed(target, LoadRun(target.port, request, connections=connections, seconds=seconds, events=events))


async def _hits(target: Target, *, connections: int, seconds: float, wanted: bytes = HIT) -> tuple[Load, float]:
    """The request of "requests" but for its temperature, which is spelt as long."""
    request = request_bytes("bench", stream=False, key=target.key, temperature=0.0)
    return await _timed(target, LoadRun(target.port, request, connections=connections, seconds=seconds, wanted=wanted))


async def _timed(target: Target, run: LoadRun) -> tuple[Load, float]:
    before_s = target.cpu_s()
    load = await run()
    return load, target.cpu_s() - before_s

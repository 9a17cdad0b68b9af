"""The metrics of processes: queues, stores, the event loop, the system's resources."""

from adapters.outbound.telemetry.metric import Merge, counter, gauge, histogram

LAGS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
STORE_SPANS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)

IN_FLIGHT = gauge(
    "moongate_requests_in_flight",
    "HTTP requests being handled: chat, completions, embeddings, admin, other",
    "endpoint",
)
CIRCUIT_STATE = gauge(
    "moongate_circuit_state",
    "1 for the state that the instance's circuit is in (closed, open, half_open), 0 for the others",
    *("instance_id", "state"),
    merge=Merge.OWN,
)
USAGE_UNWRITTEN = gauge("moongate_usage_unwritten", "Ends of attempts that the usage journal could not take yet")
USAGE_LOST = counter("moongate_usage_lost_total", "Ends of attempts that the usage journal never could take")
USAGE_ON_THE_WAY = gauge(
    "moongate_usage_on_the_way", "Usage records that left the journal and are not known to be in the ledger"
)
USAGE_STREAM = gauge(
    "moongate_usage_stream_records",
    "Usage records of all gateways between journals and ledger: waiting, pending, dead; absent while Redis is away",
    "state",
    merge=Merge.OWN,
)
SPENDS = gauge("moongate_spends_remembered", "Attempts whose cost is remembered until the ledger has it")
EVENTS_WAITING = gauge("moongate_events_waiting", "Events that wait to be sent to Redis")
EVENTS_DROPPED = counter("moongate_events_dropped_total", "Events that never reached Redis: too many waited")
LOOP_LAG = histogram(
    "moongate_event_loop_lag_seconds",
    "How late the event loop woke who slept for 100 ms: what each request waits beside its own work",
    buckets=LAGS_S,
)
STORE_UP = gauge("moongate_store_up", "1 where the store (redis, database) answers", "store", merge=Merge.LOWEST)
REDIS_IN_FLIGHT = gauge("moongate_redis_calls_in_flight", "Scripts and commands that Redis has not answered yet")
REDIS_BREAKER = gauge(
    "moongate_redis_breaker_open", "1 where Redis is left alone because it failed", merge=Merge.HIGHEST
)
REDIS_ROUND_TRIP = histogram(
    "moongate_redis_round_trip_seconds",
    "From sending what was asked in one turn of the event loop to the last of its answers",
    buckets=STORE_SPANS_S,
)
DATABASE_POOL = gauge("moongate_database_pool_size", "Connections to the database that may be open")
DATABASE_CONNECTIONS = gauge("moongate_database_connections", "Open connections to the database: in_use, idle", "state")
DATABASE_WAITING = gauge("moongate_database_waiting", "Who waits for a connection to the database")
GATEWAYS = gauge(
    "moongate_gateways", "Processes that share the state, this one included; absent while unknown", merge=Merge.OWN
)
WORKERS = gauge("moongate_workers", "Processes that serve behind this address")
WORKER_STARTS = counter("moongate_worker_starts_total", "Processes that began to serve behind this address")
CPU = counter("moongate_process_cpu_seconds_total", "Processor time of all workers, user and system")
RESIDENT = gauge("moongate_process_resident_bytes", "Resident memory of all workers; what they share counts each time")
OPEN_FILES = gauge("moongate_process_open_fds", "Open file descriptors of all workers")
SERIES_DROPPED = counter(
    "moongate_metrics_series_dropped_total", "Times that a number had no room among the metrics and was not counted"
)
BUILD = gauge("moongate_build_info", "Always 1", "version", "mode", merge=Merge.OWN)

PROCESS_METRICS = (
    IN_FLIGHT,
    CIRCUIT_STATE,
    USAGE_UNWRITTEN,
    USAGE_LOST,
    USAGE_ON_THE_WAY,
    USAGE_STREAM,
    SPENDS,
    EVENTS_WAITING,
    EVENTS_DROPPED,
    LOOP_LAG,
    STORE_UP,
    REDIS_IN_FLIGHT,
    REDIS_BREAKER,
    REDIS_ROUND_TRIP,
    DATABASE_POOL,
    DATABASE_CONNECTIONS,
    DATABASE_WAITING,
    GATEWAYS,
    WORKERS,
    WORKER_STARTS,
    CPU,
    RESIDENT,
    OPEN_FILES,
    SERIES_DROPPED,
    BUILD,
)

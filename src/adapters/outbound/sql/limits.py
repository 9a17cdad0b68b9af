from dataclasses import dataclass

from domain.durations import SECOND_US


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one process's use of its database. Spans in microseconds.

    Attributes:
        connections: Open at a time. 50 gateways make 400, which is what a well-sized Postgres takes.
        pool_wait_us: For one that is free.
        connect_us: For opening one.
        command_us: For one statement; in SQLite for another writer to end.
        ping_us: For the question whether it answers, all of the above included.
    """

    connections: int = 8
    pool_wait_us: int = 2 * SECOND_US
    connect_us: int = 3 * SECOND_US
    command_us: int = 10 * SECOND_US
    ping_us: int = SECOND_US

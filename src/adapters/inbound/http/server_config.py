"""Hypercorn, as the gateway runs it."""

import logging

from hypercorn.config import Config

from adapters.inbound.http import http1, tcp
from adapters.inbound.http.receiving import HEADER_BYTES
from application.ports.clock import Clock
from domain.durations import SECOND_US

KEEP_ALIVE_S = 75.0
BACKLOG = 2_048
CONCURRENT_STREAMS = 100


class GatewayConfig(Config):
    """Hypercorn's, which makes the same headers for all responses of one second once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._second = 0
        self._headers: list[tuple[bytes, bytes]] = []

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        """The date, and nothing that depends on `protocol`: the server's name is not told."""
        now_s = self._clock.now_us() // SECOND_US
        if now_s != self._second:
            self._second, self._headers = now_s, super().response_headers(protocol)
        return self._headers.copy()


def hypercorn_config(host: str, port: int, graceful_timeout_s: float, clock: Clock) -> Config:
    """The server's configuration.

    Idle connections live for 75 s: longer than the idle timeout of common load balancers (60 s), so that it is they
    who close first and no request runs into a closing connection. The same timer bounds slow headers.
    """
    http1.install()
    tcp.install()
    config = GatewayConfig(clock)
    config.bind = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    config.backlog = BACKLOG
    config.graceful_timeout = graceful_timeout_s
    config.keep_alive_timeout = KEEP_ALIVE_S
    # It would also cut clients that listen to a long stream in silence.
    config.read_timeout = None
    config.h11_max_incomplete_size = HEADER_BYTES
    config.h2_max_header_list_size = HEADER_BYTES
    config.h2_max_concurrent_streams = CONCURRENT_STREAMS
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config

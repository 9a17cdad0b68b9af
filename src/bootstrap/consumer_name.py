"""How processes are told apart by the stream of usage."""

import os
import socket


def consumer_name(role: str) -> str:
    """How the stream calls this process: nobody else's name now, and in a container the same after a restart."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}"

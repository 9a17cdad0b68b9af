"""What the system says of this process. Linux tells of memory and files; elsewhere they are left out."""

import os
from pathlib import Path

_MEMORY = Path("/proc/self/statm")
_FILES = Path("/proc/self/fd")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0


def cpu_s() -> float:
    """Processor time since its start, user and system."""
    spent = os.times()
    return spent.user + spent.system


def resident_bytes() -> int | None:
    """Memory that it has in use."""
    try:
        return int(_MEMORY.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return None


def open_files() -> int | None:
    """File descriptors, without the one that counts them."""
    try:
        return sum(1 for _ in _FILES.iterdir()) - 1
    except OSError:
        return None

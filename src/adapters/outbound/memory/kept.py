from application.ports.kept import Kept
from domain.tenants import check_name


class MemoryKept:
    """Of one process, and as long as it lives."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    async def first(self, name: str, proposal: bytes) -> bytes:
        check_name(name, "name")
        return self._values.setdefault(name, proposal)


_conforms: type[Kept] = MemoryKept

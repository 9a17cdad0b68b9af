"""What commands that ask a gateway know of where they run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Given by the composition root.

    Attributes:
        configured_url: The address that a configuration file comes to, or none.
        stored_key: The file in a data directory that holds a master key.
    """

    environ: Mapping[str, str]
    configured_url: Callable[[Path | None], str]
    stored_key: Callable[[Path], Path]
    default_data_dir: Path

"""What came of each fault, a line of JSON for each time it was tried, in the file that RELIABILITY_FIGURES names."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "RELIABILITY_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One trial.

    Attributes:
        errors: Requests that were answered with an error, or whose connection broke.
        lost: Calls to the upstream that the ledger does not have.
        doubled: Calls that it has more than once.
        recovery_s: From the moment the fault was over to the start of the last request that was not served well.
    """

    fault: str
    test: str
    requests: int
    errors: int
    lost: int
    doubled: int
    recovery_s: float


def record(figure: Figure) -> None:
    """Appends it; where no file is named, for nobody."""
    named = os.environ.get(VARIABLE)
    if named:
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")

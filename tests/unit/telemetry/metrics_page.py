"""`python -m tests.unit.telemetry.metrics_page` writes docs/metrics.md anew from the declarations."""

from pathlib import Path

from adapters.outbound.telemetry.metrics import metrics_page

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"

if __name__ == "__main__":
    DOCUMENT.write_text(metrics_page(), encoding="utf-8")

from typing import Protocol

from adapters.outbound.telemetry import request_metrics_declared as declared
from adapters.outbound.telemetry.metric_page import MetricPage

_NONE = "none"
_UNAUTHORIZED = 401


class HttpStory(Protocol):
    """What became of one HTTP request: `rule` is its path's pattern, `status` None where nothing was answered."""

    @property
    def rule(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def received_bytes(self) -> int: ...
    @property
    def sent_bytes(self) -> int: ...


class HttpMetrics:
    """Counts the HTTP side of every request."""

    def __init__(self, page: MetricPage) -> None:
        self._page = page

    def __call__(self, story: HttpStory) -> None:
        """Once for each request, at its end."""
        page, status = self._page, story.status
        page.add(declared.HTTP_RESPONSES, (story.rule or _NONE, _NONE if status is None else str(status)))
        page.add(declared.HTTP_RECEIVED, (), story.received_bytes)
        page.add(declared.HTTP_SENT, (), story.sent_bytes)
        if status == _UNAUTHORIZED:
            page.add(declared.REFUSED_CREDENTIALS)

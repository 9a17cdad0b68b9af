"""Schemathesis reads this file (SCHEMATHESIS_HOOKS): what it is to check beside what the document says."""

from typing import Any

import schemathesis

_LEGITIMATE = frozenset({502, 503, 504})


@schemathesis.check
def only_an_upstream_fails(_context: object, response: schemathesis.Response, _case: schemathesis.Case[Any]) -> None:
    """A server's error is one of an upstream, or of a part that is away; never one of the gateway's own."""
    status = response.status_code
    assert status < 500 or status in _LEGITIMATE, f"the gateway answered {status}"
